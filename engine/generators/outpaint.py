"""Goes on with a picture beyond its sides and leaves all of it but the seam as it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from PIL import Image

from engine.drawing import Drawing
from engine.drawing_task import DrawingTask, Plan
from engine.errors import InvalidTask
from engine.frames import Box, Size
from engine.gate.images import MAXIMUM_PIXELS, open_image
from engine.masks import feathered_outwards, left_to_draw, outside, softened_within
from engine.metadata import source_of
from engine.pipeline_kinds import INPAINT
from engine.pipelines import LoadedPipeline
from engine.repainting import Brush
from engine.sizes import suiting
from engine.task import param

MOST = 4096


def side_param(label: str, help: str) -> Any:
    return param(0, label=label, help=help, minimum=0, maximum=MOST, unit="px")


@dataclass(frozen=True, kw_only=True)
class Outpaint(DrawingTask):
    """What is new is drawn in pieces of the model's own size, from the picture outwards.

    Each piece sees at least half a piece of what is there already, so that it goes on with it.
    """

    title: ClassVar[str] = "Outpaint"
    summary: ClassVar[str] = "Goes on with a picture beyond its sides."
    kind: ClassVar[str] = INPAINT

    image: str = param(
        label="Picture",
        help="The picture to go on with: PNG, JPEG or WebP.",
        kind="file",
        required=True,
    )
    left: int = side_param("Left", "How much to draw to the left of the picture.")
    top: int = side_param("Top", "How much to draw above the picture.")
    right: int = side_param("Right", "How much to draw to the right of the picture.")
    bottom: int = side_param("Bottom", "How much to draw below the picture.")
    feather: int = param(
        8,
        label="Feather",
        help="How far what is new fades into the picture at the seam, which hides the seam. These "
        "pixels of the picture change a little; with 0 none does.",
        minimum=0,
        maximum=512,
        unit="px",
    )

    def plan(self, model: LoadedPipeline) -> Plan:
        path = Path(self.image).expanduser()
        picture = open_image(path)
        canvas, known = self._canvas(picture.size)
        own = model.own_size()
        piece = (min(own[0], canvas[0]), min(own[1], canvas[1]))
        boxes = left_to_draw(canvas, known, piece)
        size = suiting(model, piece)
        steps = self.steps_run(model, 1.0)
        arguments = self.arguments(model, width=size[0], height=size[1], strength=1.0)
        brush = Brush(model, arguments, size, steps)

        def draw(drawing: Drawing) -> Image.Image | None:
            result = Image.new("RGBA", canvas)
            result.paste(picture, known[:2])
            empty = outside(canvas, known)
            for box in boxes:
                seam = softened_within(box, empty, self.feather, feathered_outwards)
                if not brush.repaint(drawing, result, seam, box):
                    return None
                empty.paste(0, box)
            return result.convert(picture.mode)

        made_with = {"piece": "{}x{}".format(*piece), "drawn_at": "{}x{}".format(*size)}
        return Plan(draw, steps * len(boxes), made_with, source_of(path))

    def _canvas(self, picture: Size) -> tuple[Size, Box]:
        """The size of the result, and where in it the picture is; raises InvalidTask."""
        if not (self.left or self.top or self.right or self.bottom):
            raise InvalidTask(
                "right", "No side of the picture is to become larger.", "Say how far to draw."
            )
        right, bottom = self.left + picture[0], self.top + picture[1]
        canvas = (right + self.right, bottom + self.bottom)
        if canvas[0] * canvas[1] > MAXIMUM_PIXELS:
            raise InvalidTask(
                "right",
                f"The image would have {canvas[0]} × {canvas[1]} pixels, more than the "
                f"{MAXIMUM_PIXELS // 1_000_000} million allowed.",
                "Draw less around it.",
            )
        return canvas, (self.left, self.top, right, bottom)
