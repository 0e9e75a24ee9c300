"""Draws a part of a picture anew and leaves the rest as it is, to the last bit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from PIL import Image

from engine.drawing import Drawing
from engine.drawing_task import DrawingTask, Plan, strength_param
from engine.frames import around
from engine.gate.images import open_image
from engine.masks import feathered, open_mask, softened_within
from engine.metadata import source_of
from engine.pipeline_kinds import INPAINT
from engine.pipelines import LoadedPipeline
from engine.repainting import Brush
from engine.sizes import suiting
from engine.task import param


@dataclass(frozen=True, kw_only=True)
class Inpaint(DrawingTask):
    """The part around the mask is drawn at the model's own size and pasted back by the mask.

    Models that learned to see the mask are shown it; with all others what is outside of it is put
    back after every step (2206.02779).
    """

    title: ClassVar[str] = "Inpaint"
    summary: ClassVar[str] = "Draws a part of a picture anew and leaves the rest as it is."
    kind: ClassVar[str] = INPAINT

    image: str = param(
        label="Picture",
        help="The picture of which a part is drawn anew: PNG, JPEG or WebP. Its size stays.",
        kind="file",
        required=True,
    )
    mask: str = param(
        label="Mask",
        help="A picture as large as that one: white is drawn anew, black stays, gray mixes.",
        kind="file",
        required=True,
    )
    strength: float = strength_param(1.0)
    feather: int = param(
        8,
        label="Feather",
        help="Over how many pixels, from the edge of the mask inwards, the new part fades into "
        "what was there. More hides the edge better; outside of the mask no pixel ever changes.",
        minimum=0,
        maximum=512,
        unit="px",
    )
    padding: int = param(
        64,
        label="Padding",
        help="How much around the mask the model sees while it draws. More makes the new part "
        "suit the picture better, less gives it finer detail.",
        minimum=0,
        maximum=4096,
        unit="px",
    )

    def plan(self, model: LoadedPipeline) -> Plan:
        steps = self.steps_run(model, self.strength)
        path = Path(self.image).expanduser()
        picture = open_image(path)
        mask = open_mask(Path(self.mask).expanduser(), picture.size)
        part = mask.getbbox()
        assert part is not None, "open_mask has seen white"
        box = around(part, self.padding, model.own_size(), picture.size)
        edges = softened_within(box, mask, self.feather, feathered)
        size = suiting(model, (box[2] - box[0], box[3] - box[1]))
        arguments = self.arguments(model, width=size[0], height=size[1], strength=self.strength)
        brush = Brush(model, arguments, size, steps)

        def draw(drawing: Drawing) -> Image.Image | None:
            result = picture.convert("RGBA")
            if not brush.repaint(drawing, result, edges, box):
                return None
            return result.convert(picture.mode)

        made_with = {"box": " ".join(map(str, box)), "drawn_at": "{}x{}".format(*size)}
        return Plan(draw, steps, made_with, source_of(path))
