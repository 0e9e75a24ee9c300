"""What becomes of what can be seen through, when a network that knows colours only is at work."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFilter

from engine.picture_networks.tiling import Pixels

CLEAR = 4
"""Levels (of 255) of opacity that are the network's own noise."""


def with_hidden_colors(image: Image.Image) -> Pixels:
    """RGB or RGBA, where what is transparent takes the colours of what is beside it.

    Else a network would draw an edge between the picture and a colour nobody sees.
    """
    if not image.has_transparency_data:
        return np.asarray(image.convert("RGB"))
    image = image.convert("RGBA")
    pixels = np.array(image)
    hidden = pixels[..., 3] == 0
    radius = 1
    while hidden.any() and not hidden.all() and radius < 2 * max(image.size):
        blurred = np.asarray(
            image.convert("RGBa").filter(ImageFilter.BoxBlur(radius)).convert("RGBA")
        )
        near = hidden & (blurred[..., 3] > 8)  # below that the division has no digits left
        pixels[near, :3] = blurred[near, :3]
        hidden &= ~near
        radius *= 2
    return pixels


def enlarged_with_opacity(tile: Pixels, enlarge: Callable[[Pixels], Pixels]) -> Pixels:
    """Colours, and opacity as a grey picture, both enlarged by the same network."""
    colors = enlarge(tile[..., :3])
    if tile.shape[2] == 3:
        return colors
    opacity = tile[..., 3]
    if (opacity == opacity[0, 0]).all():
        shown = np.full(colors.shape[:2], opacity[0, 0], np.uint8)
    else:
        grey = enlarge(np.repeat(opacity[..., None], 3, axis=2)).mean(axis=2)
        shown = np.where(grey < CLEAR, 0, np.where(grey > 255 - CLEAR, 255, grey)).astype(np.uint8)
    colors[shown == 0] = 0
    return np.dstack([colors, shown])


def with_opacity_of(image: Image.Image, picture: Image.Image) -> Image.Image:
    """`picture`, RGB of the same size, as opaque as `image`; what is hidden in it stays hidden."""
    if not image.has_transparency_data:
        return picture
    before, colors = np.asarray(image.convert("RGBA")), np.asarray(picture)
    hidden = before[..., 3:] == 0
    return Image.fromarray(np.dstack([np.where(hidden, before[..., :3], colors), before[..., 3]]))
