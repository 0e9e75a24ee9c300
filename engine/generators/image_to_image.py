"""Draws a picture anew from another one and a prompt: a sketch becomes a drawing (2108.01073)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from PIL import Image

from engine.drawing_task import DrawingTask, Plan, strength_param
from engine.gate.images import open_image
from engine.masks import WHITE, laid_on
from engine.metadata import source_of
from engine.pipeline_kinds import IMAGE_TO_IMAGE
from engine.pipelines import LoadedPipeline
from engine.sizes import check_multiples, following, size_param
from engine.task import param

LIKE_THE_PICTURE = (
    "Automatic (0) keeps the picture's proportions, at the area with which the model draws best."
)


@dataclass(frozen=True, kw_only=True)
class ImageToImage(DrawingTask):
    """Noise is laid over the picture, as much as `strength` says, and drawn into an image again.

    Of the steps only that part is run. The picture is stretched to the size that is drawn; where
    it can be seen through it is laid on white.
    """

    title: ClassVar[str] = "Image to image"
    summary: ClassVar[str] = "Draws a picture anew, from itself and a prompt."
    kind: ClassVar[str] = IMAGE_TO_IMAGE

    image: str = param(
        label="Picture",
        help="The picture to begin with: PNG, JPEG or WebP. What is transparent becomes white.",
        kind="file",
        required=True,
    )
    strength: float = strength_param(0.6)
    width: int = size_param("Width", f"Width of the image. {LIKE_THE_PICTURE}")
    height: int = size_param("Height", f"Height of the image. {LIKE_THE_PICTURE}")

    def plan(self, model: LoadedPipeline) -> Plan:
        check_multiples(model, self.width, self.height)
        steps = self.steps_run(model, self.strength)
        path = Path(self.image).expanduser()
        picture = laid_on(WHITE, open_image(path))
        size = following(model, self.width, self.height, picture.size)
        arguments = self.arguments(
            model,
            image=picture.resize(size, Image.Resampling.LANCZOS),
            width=size[0],
            height=size[1],
            strength=self.strength,
        )
        return Plan(
            lambda drawing: drawing.call(arguments, size, steps), steps, source=source_of(path)
        )
