"""Masks: pictures whose white says where to draw anew, with soft edges."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageChops, ImageFilter

from engine.errors import InvalidTask
from engine.frames import Box, Size, pieces
from engine.gate.images import open_image

WHITE, BLACK = "white", "black"


def laid_on(paper: str, image: Image.Image) -> Image.Image:
    """The picture in RGB, on paper of that colour where it can be seen through."""
    if image.mode != "RGBA":
        return image.convert("RGB")
    sheet = Image.new("RGBA", image.size, paper)
    sheet.alpha_composite(image)
    return sheet.convert("RGB")


def open_mask(path: Path, size: Size) -> Image.Image:
    """The mask (L) at `path` for a picture of `size`; what is transparent is black.

    Raises FileError for what is no picture, InvalidTask for one of another size or all black.
    """
    mask = laid_on(BLACK, open_image(path)).convert("L")
    if mask.size != size:
        raise InvalidTask(
            "mask",
            f"The mask has {mask.width} × {mask.height} pixels, the picture {size[0]} × {size[1]}.",
            "Make the mask as large as the picture.",
        )
    if mask.getbbox() is None:
        raise InvalidTask(
            "mask",
            "The mask is black all over, so that there is nothing to draw.",
            "Make white in it what is to be drawn anew.",
        )
    return mask


def feathered(mask: Image.Image, feather: int) -> Image.Image:
    """The mask with soft edges that reach `feather` pixels beyond it; within, it stays as it is."""
    if feather == 0:
        return mask
    wider = _grown(mask, (feather + 1) // 2)
    return ImageChops.lighter(mask, wider.filter(ImageFilter.BoxBlur(feather // 2)))


def feathered_within(box: Box, mask: Image.Image, feather: int) -> Image.Image:
    """The box of the feathered mask; only as much is looked at as reaches into it."""
    left, top = max(0, box[0] - feather), max(0, box[1] - feather)
    right, bottom = min(mask.width, box[2] + feather), min(mask.height, box[3] + feather)
    near = feathered(mask.crop((left, top, right, bottom)), feather)
    return near.crop((box[0] - left, box[1] - top, box[2] - left, box[3] - top))


def outside(canvas: Size, known: Box) -> Image.Image:
    """A mask, white where the canvas has no picture yet."""
    empty = Image.new("L", canvas, 255)
    empty.paste(0, known)
    return empty


def left_to_draw(canvas: Size, known: Box, piece: Size) -> list[Box]:
    """The pieces around `known` in which something is still empty when their turn comes."""
    empty, boxes = outside(canvas, known), []
    for box in pieces(canvas, known, piece):
        if empty.crop(box).getbbox() is not None:
            boxes.append(box)
            empty.paste(0, box)
    return boxes


def in_squares(mask: Image.Image, size: Size, square: int) -> Image.Image:
    """The mask at `size`, white in each whole square of `square` pixels that holds any of it.

    A model draws whole latents anew, and each stands for such a square.
    """
    import numpy as np

    count = (size[0] // square, size[1] // square)
    touched = np.asarray(mask.convert("F").resize(count, Image.Resampling.BOX)) > 0
    return Image.fromarray(touched).convert("L").resize(size, Image.Resampling.NEAREST)


def _grown(mask: Image.Image, reach: int) -> Image.Image:
    """Each pixel as white as the whitest one that is at most so many rows and columns away."""
    import numpy as np

    values = np.asarray(mask)
    for _ in range(2):
        values = np.pad(values, ((reach, reach), (0, 0)))
        seen = 1
        while (step := min(seen, 2 * reach + 1 - seen)) > 0:
            values = np.maximum(values[:-step], values[step:])
            seen += step
        values = values.T  # the columns, then back
    return Image.fromarray(np.ascontiguousarray(values))
