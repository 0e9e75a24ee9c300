"""Lays images of one size out in a grid."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def image_grid(images: NDArray[np.uint8], columns: int = 0, gap: int = 2) -> Image.Image:
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


def cut_grid(
    grid: NDArray[np.uint8], count: int, size: int, columns: int = 0, gap: int = 2
) -> NDArray[np.uint8]:
    """The `count` images (N, size, size, C) that `image_grid` laid out as (H, W, C)."""
    columns = min(columns or math.ceil(math.sqrt(count)), count)
    return np.stack([_cell(grid, index, columns, gap, (size, size)) for index in range(count)])


def _cell(
    grid: NDArray[np.uint8], index: int, columns: int, gap: int, size: tuple[int, int]
) -> NDArray[np.uint8]:
    """The place of one image, a view."""
    row, column = divmod(index, columns)
    top, left = gap + row * (size[0] + gap), gap + column * (size[1] + gap)
    return grid[top : top + size[0], left : left + size[1]]


def stacked(pictures: Sequence[Image.Image], gap: int = 6) -> Image.Image:
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
