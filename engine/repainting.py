"""One part of a picture drawn anew: cut out, drawn at the model's size, pasted back by a mask."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image

from engine.drawing import Drawing
from engine.frames import Box, Size
from engine.masks import WHITE, in_squares, laid_on
from engine.pipelines import LoadedPipeline

MOST_SHOWN = 1024
"""Pixels of a side of a half-made picture; it is to be looked at only."""


@dataclass(frozen=True)
class Brush:
    """How any part is drawn anew."""

    model: LoadedPipeline
    arguments: Mapping[str, Any]
    """Of the pipeline, but for the picture and the mask."""
    size: Size
    """At which the model draws a part."""
    steps: int

    def repaint(self, drawing: Drawing, picture: Image.Image, mask: Image.Image, box: Box) -> bool:
        """Draw the box of `picture` (RGBA) anew where the box's `mask` (L) says so.

        Where the mask is black not a bit changes; where it is gray, old and new are mixed. False
        where the model's own safety filter hid what was drawn.
        """
        part = picture.crop(box)
        arguments = {
            **self.arguments,
            "image": laid_on(WHITE, part).resize(self.size, Image.Resampling.LANCZOS),
            "mask_image": in_squares(mask, self.size, self.model.latent_square()),
        }
        shown = _in_the_picture(picture, mask, box)
        drawn = drawing.call(arguments, self.size, self.steps, shown)
        if drawn is None:
            return False
        fresh = drawn.resize(part.size, Image.Resampling.LANCZOS)
        fresh.putalpha(mask)
        picture.alpha_composite(fresh, box[:2])
        return True


def _in_the_picture(
    picture: Image.Image, mask: Image.Image, box: Box
) -> Callable[[Image.Image], Image.Image]:
    """Half-made parts, shown where they will be."""
    scale = min(1, MOST_SHOWN / max(picture.size))
    width, height = (max(1, round(side * scale)) for side in picture.size)
    whole = laid_on(WHITE, picture.resize((width, height), reducing_gap=2))
    left, top = round(box[0] * scale), round(box[1] * scale)
    room = (max(1, round(box[2] * scale) - left), max(1, round(box[3] * scale) - top))
    mask = mask.resize(room)

    def shown(image: Image.Image) -> Image.Image:
        copy = whole.copy()
        copy.paste(image.resize(room), (left, top), mask)
        return copy

    return shown
