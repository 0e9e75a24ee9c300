"""Masks: pictures whose white says where to draw anew, with soft edges."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from engine.errors import InvalidTask
from engine.frames import Box, Size, pieces
from engine.gate.images import open_image

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Marks = NDArray[np.bool_]
    Numbers = NDArray[np.int64]

WHITE, BLACK = "white", "black"

Soften = Callable[[Image.Image, int], Image.Image]
"""Makes the edges of a mask soft, over so many pixels."""


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
    """The mask with soft edges: it rises over `feather` pixels from its edge inwards.

    What is black stays so. Where the mask is thinner than that, it is as white as before along
    its own middle: a hair-thin line must not fade away.
    """
    import numpy as np

    if feather == 0:
        return mask
    values = np.asarray(mask)
    depth = _depth(values > 0, feather)
    deepest = _joined(np.maximum, _joined(np.maximum, depth))
    middle = (depth > 0) & (depth == deepest)
    away = _depth(~middle, feather)
    return _image(-(-values.astype(np.int64) * depth // (depth + away)))  # rounded up: not to 0


def feathered_outwards(mask: Image.Image, feather: int) -> Image.Image:
    """The mask of black and white with edges that fade over `feather` pixels around it.

    For what has nothing under it that it could be mixed with.
    """
    import numpy as np

    beyond = feather + 1 - _depth(np.asarray(mask) == 0, feather)
    return _image(-(-255 * beyond // (feather + 1)))


def softened_within(box: Box, mask: Image.Image, feather: int, soften: Soften) -> Image.Image:
    """The box of the softened mask; only as much is looked at as has a say in it."""
    reach = 2 * feather + 3
    left, top = max(0, box[0] - reach), max(0, box[1] - reach)
    right, bottom = min(mask.width, box[2] + reach), min(mask.height, box[3] + reach)
    near = soften(mask.crop((left, top, right, bottom)), feather)
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


def _depth(marked: Marks, feather: int) -> Numbers:
    """How many pixels it is from each to the nearest one that is not marked, at most one more
    than `feather`. What is beyond the picture counts as its edge does.

    In steps with and without the corners in turn: the circles of this distance are octagons.
    """
    import numpy as np

    depth = marked.astype(np.int64)
    for step in range(feather):
        marked = _joined(np.minimum, marked, corners=step % 2 == 0)
        if not marked.any():
            break
        depth += marked
    return depth


def _joined(join: np.ufunc, values: NDArray[Any], *, corners: bool = True) -> NDArray[Any]:
    """The smallest or largest of each pixel and the eight around it, or four without corners."""
    import numpy as np

    wide = np.pad(values, 1, mode="edge")
    upright = join(join(wide[:-2], wide[1:-1]), wide[2:])
    beside = upright if corners else wide[1:-1]
    joined: NDArray[Any] = join(join(beside[:, :-2], upright[:, 1:-1]), beside[:, 2:])
    return joined


def _image(values: Numbers) -> Image.Image:
    import numpy as np

    return Image.fromarray(values.astype(np.uint8))
