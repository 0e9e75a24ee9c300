"""Small pictures for the tests of the gallery, with what they tell of themselves."""

from __future__ import annotations

import os
from pathlib import Path

from PIL import Image

from engine import folders, metadata
from engine.generators.text_to_image import TextToImage


def save_picture(
    name: str,
    prompt: str = "a cat",
    *,
    age: float = 0.0,
    size: tuple[int, int] = (16, 16),
    **values,
) -> Path:
    """A picture in the outputs, `age` seconds older than the newest can be."""
    path = folders.outputs() / f"{name}.png"
    image = Image.new("RGB", size, values.pop("color", "red"))
    metadata.write_png(path, image, TextToImage(prompt=prompt, **{"seed": 1} | values))
    made = 1_795_000_000 - age  # in November 2026
    os.utime(path, (made, made))
    return path
