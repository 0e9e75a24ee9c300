"""The embedded model beginning with pictures: drawn over, in part, and further. Slow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn import Pixels, image, run, saved
from PIL import Image

from engine.drawing_task import DrawingTask
from engine.generators.image_to_image import ImageToImage
from engine.generators.inpaint import Inpaint
from engine.generators.outpaint import Outpaint
from engine.generators.text_to_image import TextToImage

pytestmark = pytest.mark.slow


def drawn(task: DrawingTask, out: Path) -> Pixels:
    return np.asarray(image(run(task, out)))


def mean_color(pixels: Pixels) -> tuple[float, float, float]:
    """The mean red, green and blue of what is not paper."""
    red, green, blue = pixels[(pixels < 240).any(axis=2)].mean(axis=0)
    return red, green, blue


@pytest.fixture
def heart(tmp_path: Path) -> Image.Image:
    return Image.fromarray(drawn(TextToImage(prompt="red heart", seed=1), tmp_path / "heart"))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_drawing_becomes_another_of_the_same_shape(
    heart: Image.Image, tmp_path: Path, seed: int
) -> None:
    picture = saved(heart, tmp_path)
    strengths: dict[float, Any] = {}
    for strength in (0.1, 0.8):
        task = ImageToImage(prompt="blue heart", image=picture, strength=strength, seed=seed)
        strengths[strength] = drawn(task, tmp_path / str(strength))
    red, _, blue = mean_color(strengths[0.1])
    assert red > blue + 80, "at little strength it is still red"
    red, _, blue = mean_color(strengths[0.8])
    assert blue > red + 60
    both = strengths[0.8], np.asarray(heart)
    paper, was_paper = ((pixels >= 240).all(axis=2) for pixels in both)
    assert (paper == was_paper).mean() > 0.85


def test_a_part_is_drawn_anew_and_the_rest_is_not(tmp_path: Path) -> None:
    apple = drawn(TextToImage(prompt="red apple", seed=1), tmp_path / "apple")
    mask = Image.new("L", (128, 128))
    mask.paste(255, (0, 0, 64, 128))
    task = Inpaint(
        prompt="green apple",
        image=saved(Image.fromarray(apple), tmp_path),
        mask=saved(mask, tmp_path, "mask.png"),
        seed=1,
    )
    half = drawn(task, tmp_path / "half")
    assert task.feather > 0
    assert (half[:, 64:] == apple[:, 64:]).all()
    red, green, _ = mean_color(half[40:110, 16:60])
    assert green > red
    red, green, _ = mean_color(half[40:110, 76:112])
    assert red > green + 80


def test_a_drawing_that_was_cut_off_is_completed(heart: Image.Image, tmp_path: Path) -> None:
    half = saved(heart.crop((0, 0, 64, 128)), tmp_path)
    task = Outpaint(prompt="red heart", image=half, right=64, seed=2)
    whole = drawn(task, tmp_path / "whole")
    assert whole.shape == (128, 128, 3)
    kept = 64 - task.feather
    assert (whole[:, :kept] == np.asarray(heart)[:, :kept]).all()
    red, green, blue = mean_color(whole[:, 64:])
    assert red > max(green, blue) + 80
    ink = (whole < 240).any(axis=2)
    mirrored = ink[:, :64] == ink[:, :63:-1]
    assert mirrored.mean() > 0.9, "a heart has two alike halves"
