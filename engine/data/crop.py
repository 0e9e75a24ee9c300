"""Cuts images to the square that a network learns from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

SIZES = (28, 32, 64)
"""Pixels; every network here can draw each of them."""


def natural_size(width: int, height: int) -> int:
    """The smallest of SIZES that loses nothing of an image this large, else the largest."""
    return next((size for size in SIZES if size >= min(width, height)), SIZES[-1])


def square(image: Image.Image, size: int) -> Image.Image:
    """The centre of `image`, `size`×`size`, resized with Lanczos."""
    if image.size == (size, size):
        return image
    return ImageOps.fit(image, (size, size), Image.Resampling.LANCZOS)


def squares(images: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """All of (N, H, W, C) as (N, size, size, C)."""
    if images.shape[1:3] == (size, size):
        return images
    channels = images.shape[3]
    result = np.empty((len(images), size, size, channels), np.uint8)
    for index, pixels in enumerate(images):
        image = Image.fromarray(pixels[..., 0] if channels == 1 else pixels)
        result[index] = np.asarray(square(image, size)).reshape(size, size, channels)
    return result


def is_gray(images: NDArray[np.uint8]) -> bool:
    """Whether all of (N, H, W, C) can be kept in one channel without a loss."""
    return images.shape[3] == 1 or bool((images[..., :1] == images[..., 1:]).all())


def with_channels(images: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    """(N, H, W, C) with `channels` of 1 (luma as ITU-R 601 weighs it) or 3."""
    if images.shape[3] == channels:
        return images
    if channels == 3:
        return images.repeat(3, axis=3)
    luma = np.empty((*images.shape[:3], 1), np.uint8)
    for index, pixels in enumerate(images):
        luma[index, ..., 0] = np.asarray(Image.fromarray(pixels).convert("L"))
    return luma
