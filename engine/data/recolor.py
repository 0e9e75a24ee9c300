"""Pictures in other colours: what teaches a model that "blue cat" is a cat, and blue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

HUES = 256  # Pillow's HSV counts the colour circle in 256
COLORED = 60  # saturation from which a pixel has a colour to speak of
ENOUGH = 0.25  # part of the drawing that must wear its main colour
REACH = 28  # hues to each side that belong to the main colour


@dataclass(frozen=True)
class Color:
    """A colour people name; `saturation` and `value` scale what the pixel had."""

    name: str
    name_zh: str
    hue: int
    saturation: float = 1.0
    value: float = 1.0


COLORS = (
    Color("red", "红色", 252, 1.0, 0.92),
    Color("orange", "橙色", 19),
    Color("yellow", "黄色", 33, 0.95, 1.05),
    Color("green", "绿色", 88, 0.9, 0.82),
    Color("blue", "蓝色", 150, 0.95, 0.92),
    Color("purple", "紫色", 192, 0.8, 0.85),
    Color("pink", "粉色", 234, 0.6, 1.08),
)


def main_hue(picture: Image.Image) -> int | None:
    """The hue most of an RGB drawing on white wears; None where it has none to speak of."""
    hue, saturation, _ = _channels(picture)
    drawn = np.asarray(picture.convert("L")) < 250
    colored = drawn & (saturation >= COLORED)
    counts = np.bincount(hue[colored], minlength=HUES).astype(float)
    around = np.bartlett(2 * REACH + 1)
    nearby = np.convolve(np.concatenate((counts[-REACH:], counts, counts[:REACH])), around, "valid")
    best = int(nearby.argmax())
    return best if nearby[best] >= ENOUGH * max(1, drawn.sum()) else None


def other_colors(hue: int) -> tuple[Color, ...]:
    """Colours that are told apart from `hue` at a glance."""
    return tuple(color for color in COLORS if abs(int(_turn(hue, color.hue))) > REACH)


def recolored(picture: Image.Image, hue: int, color: Color) -> Image.Image:
    """The RGB `picture` with the pixels around `hue` turned to `color`; shades stay shades."""
    channels = _channels(picture)
    apart = _turn(channels[0].astype(int), hue)
    chosen = (channels[1] >= COLORED // 2) & (np.abs(apart) <= REACH)
    turned = (
        (color.hue + apart // 3) % HUES,  # a flame from red to yellow becomes blue, no rainbow
        np.clip(channels[1] * color.saturation, 0, 255),
        np.clip(channels[2] * color.value, 0, 255),
    )
    new = [np.where(chosen, to, old) for to, old in zip(turned, channels, strict=True)]
    return Image.fromarray(np.stack(new, -1).astype(np.uint8), "HSV").convert("RGB")


def _turn(one: NDArray[np.int_] | int, other: int) -> NDArray[np.int_]:
    """From `other` to `one` the shorter way around the circle."""
    return np.asarray((one - other + HUES // 2) % HUES - HUES // 2)


def _channels(picture: Image.Image) -> tuple[NDArray[np.uint8], ...]:
    hsv = np.asarray(picture.convert("HSV"))
    return hsv[..., 0], hsv[..., 1], hsv[..., 2]
