"""What tasks read from the canvas is kept by its content."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from PIL import Image

from engine import folders, inputs
from engine.errors import FileError
from engine.gate.images import open_image
from engine.generators.text_to_image import TextToImage
from engine.metadata import read_task, write_png


def test_the_same_picture_is_kept_once() -> None:
    first = inputs.keep_picture(Image.new("RGB", (9, 5), "red"))
    assert first == inputs.keep_picture(Image.new("RGB", (9, 5), "red"))
    assert first != inputs.keep_picture(Image.new("RGB", (9, 5), "blue"))
    assert first.parent == folders.inputs()
    assert hashlib.sha256(first.read_bytes()).hexdigest().startswith(first.stem)
    assert open_image(first).size == (9, 5)


def test_what_is_transparent_stays_so() -> None:
    kept = open_image(inputs.keep_picture(Image.new("RGBA", (2, 2), (255, 0, 0, 128))))
    assert kept.getpixel((0, 0)) == (255, 0, 0, 128)


def test_a_copy_still_says_how_it_was_made(tmp_path: Path) -> None:
    path = tmp_path / "made.png"
    write_png(path, Image.new("RGB", (8, 8)), TextToImage(prompt="a fox", seed=3))
    kept = inputs.keep_file(path)
    path.unlink()
    record = read_task(kept)
    assert record is not None
    assert record.values["prompt"] == "a fox"


def test_a_picture_that_has_gone_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"gone\.png"):
        inputs.keep_file(tmp_path / "gone.png")
