"""Lays images of one size out in a grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

GAP = 2  # pixels between the images of a grid, and around them
LINE = 6  # … between two grids of one picture
PAIRED = 2
"""Rows of the first of two grids: images, and what comes back of them."""


@dataclass(frozen=True)
class Cells:
    """Where the images are in a picture of one grid, or of two with `PAIRED` rows in the first.

    They are counted row by row; `apart` is how much further down the second grid lies.
    """

    size: int
    columns: int
    rows: int
    apart: int = 0

    @property
    def count(self) -> int:
        return self.columns * self.rows

    def corner(self, index: int) -> tuple[int, int]:
        """(left, top) of an image, in pixels of the picture."""
        row, column = divmod(index, self.columns)
        step = self.size + GAP
        return GAP + column * step, GAP + row * step + (self.apart if row >= PAIRED else 0)


def cells_in(width: int, height: int, size: int) -> Cells | None:
    """The images of `size` pixels in a picture of this width and height; None where it has none."""
    step, line = size + GAP, GAP + LINE
    columns, beside = divmod(width - GAP, step)
    if size < 1 or beside or columns < 1:
        return None
    for apart in (0, line):
        rows, left_over = divmod(height - GAP - apart, step)
        if rows > 0 and not left_over and (not apart or rows > PAIRED):
            return Cells(size, columns, rows, apart)
    return None


def image_grid(images: NDArray[np.uint8], columns: int = 0, gap: int = GAP) -> Image.Image:
    """(N, H, W, C) with 1 or 3 channels as one picture, row by row.

    Without `columns` the grid is as near to a square as N allows. The gaps are black.
    """
    count, height, width, channels = images.shape
    columns = min(columns or math.ceil(math.sqrt(count)), count)
    rows = math.ceil(count / columns)
    shape = (rows * (height + gap) + gap, columns * (width + gap) + gap, channels)
    canvas = np.zeros(shape, np.uint8)
    for index, image in enumerate(images):
        _cell(canvas, index, columns, gap, (height, width))[...] = image
    return Image.fromarray(canvas[..., 0] if channels == 1 else canvas)


def cut_grid(grid: NDArray[np.uint8], count: int, size: int) -> NDArray[np.uint8]:
    """The first `count` images (N, size, size, C) of a grid (H, W, C); raises ValueError."""
    cells = cells_in(grid.shape[1], grid.shape[0], size)
    if cells is None or cells.count < count:
        raise ValueError(f"no {count} images of {size} pixels in a picture of {grid.shape[:2]}")
    corners = [cells.corner(index) for index in range(count)]
    return np.stack([grid[top : top + size, left : left + size] for left, top in corners])


def _cell(
    grid: NDArray[np.uint8], index: int, columns: int, gap: int, size: tuple[int, int]
) -> NDArray[np.uint8]:
    """The place of one image, a view."""
    row, column = divmod(index, columns)
    top, left = gap + row * (size[0] + gap), gap + column * (size[1] + gap)
    return grid[top : top + size[0], left : left + size[1]]


def stacked(pictures: Sequence[Image.Image], gap: int = LINE) -> Image.Image:
    """Pictures of one mode below each other, at the left, with a gray line of `gap` between."""
    width = max(picture.width for picture in pictures)
    height = sum(picture.height for picture in pictures) + gap * (len(pictures) - 1)
    gray = 128 if pictures[0].mode == "L" else (128, 128, 128)
    canvas = Image.new(pictures[0].mode, (width, height), gray)
    top = 0
    for picture in pictures:
        canvas.paste(picture, (0, top))
        top += picture.height + gap
    return canvas
