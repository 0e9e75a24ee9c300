"""Pictures in other colours keep their shape and their shades."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from engine.data import recolor


def drawing(fill: str, spot: str = "black") -> Image.Image:
    image = Image.new("RGB", (32, 32), "white")
    draw = ImageDraw.Draw(image)
    draw.ellipse((4, 4, 27, 27), fill=fill)
    draw.ellipse((14, 14, 17, 17), fill=spot)
    return image


@pytest.mark.parametrize("name", [color.name for color in recolor.COLORS])
def test_a_red_drawing_becomes_what_is_asked_and_paper_and_eyes_stay(name: str) -> None:
    picture = drawing("#e03030")
    hue = recolor.main_hue(picture)
    assert hue is not None
    color = next(color for color in recolor.COLORS if color.name == name)
    new = recolor.recolored(picture, hue, color)
    assert new.getpixel((0, 0)) == (255, 255, 255)
    assert new.getpixel((16, 16)) == (0, 0, 0)
    turned = recolor.main_hue(new)
    assert turned is not None and abs(turned - color.hue) % 256 in (0, 1, 2, 254, 255)


def test_shades_stay_shades() -> None:
    picture = drawing("#e03030", "#802020")
    blue = next(color for color in recolor.COLORS if color.name == "blue")
    new = recolor.recolored(picture, recolor.main_hue(picture) or 0, blue)
    light, dark = (np.array(new.getpixel(at)) for at in ((8, 16), (16, 16)))
    assert light.sum() > dark.sum() + 60 and dark.argmax() == 2


def test_what_is_gray_has_no_colour_to_change() -> None:
    assert recolor.main_hue(drawing("#909090")) is None


def test_only_colours_that_look_different_are_offered() -> None:
    names = {color.name for color in recolor.other_colors(0)}
    assert {"blue", "green"} <= names
    assert not names & {"red", "orange"}
