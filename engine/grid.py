"""Lays images of one size out in a grid."""

from __future__ import annotations

import math

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
        top, left = (
            gap + place * (size + gap)
            for place, size in zip(divmod(index, columns), (height, width), strict=True)
        )
        canvas[top : top + height, left : left + width] = image
    return Image.fromarray(canvas[..., 0] if channels == 1 else canvas)
