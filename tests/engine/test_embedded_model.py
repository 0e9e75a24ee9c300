"""The embedded model draws what it is asked for. Slow: real pictures from the real weights."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from engine import folders, library
from engine.events import Event, Preview
from engine.generators.text_to_image import TextToImage

MODEL = folders.RESOURCES / "models" / library.EMBEDDED_IMAGE_MODEL

Pixels = NDArray[np.uint8]


def weight_files() -> Iterator[Path]:
    yield from MODEL.rglob("*.safetensors")


def draw(prompt: str, out: Path, seed: int = 1, **fields: object) -> Pixels:
    TextToImage(prompt=prompt, seed=seed, **fields).run(lambda event: None, out)  # type: ignore[arg-type]
    [path] = out.glob("*.png")
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def drawn_color(pixels: Pixels) -> tuple[float, float, float]:
    """The mean red, green and blue of what is not paper."""
    ink = pixels[(pixels < 240).any(axis=2)]
    red, green, blue = ink.mean(axis=0)
    return red, green, blue


def test_it_fits_into_the_repository() -> None:
    sizes = [path.stat().st_size for path in weight_files()]
    assert len(sizes) >= 4
    assert max(sizes) < 50e6
    assert sum(sizes) < 90e6


def test_its_card_tells_where_it_comes_from() -> None:
    card = (MODEL / "README.md").read_text(encoding="utf-8")
    for told in ("Microsoft", "MIT", "emojibase", "steps", "train_text_to_image"):
        assert told in card


def test_its_files_name_no_folder_of_the_machine_it_was_made_on() -> None:
    for path in MODEL.rglob("*.json"):
        assert not re.search(r'"/\w+/', path.read_text(encoding="utf-8")), path.name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("prompt", "channel"),
    [("red heart", 0), ("green heart", 1), ("blue heart", 2), ("红心", 0), ("red apple", 0)],
)
def test_colors_follow_the_words(prompt: str, channel: int, tmp_path: Path) -> None:
    color = drawn_color(draw(prompt, tmp_path))
    others = [value for index, value in enumerate(color) if index != channel]
    assert color[channel] > max(others) + 20, f"{prompt}: {color}"


@pytest.mark.slow
def test_a_heart_is_a_heart(tmp_path: Path) -> None:
    """Full in the middle, two lobes above, a point below, on white paper."""
    ink = (draw("red heart", tmp_path) < 240).any(axis=2)
    rows = np.flatnonzero(ink.any(axis=1))
    height = rows[-1] - rows[0]
    widths = ink.sum(axis=1)
    assert 0.3 < ink.mean() < 0.75
    assert widths[rows[0] + height // 3] > 2 * widths[rows[-1] - height // 8]
    middle = ink[:, ink.any(axis=0)]
    columns = middle.argmax(axis=0)  # where the ink begins, column by column
    centre = columns[len(columns) * 2 // 5 : len(columns) * 3 // 5].max()
    assert centre > columns.min() + 3, "a dip between the lobes"


@pytest.mark.slow
def test_the_preview_looks_like_the_picture(tmp_path: Path) -> None:
    previews: list[Pixels] = []

    def report(event: Event) -> None:
        if isinstance(event, Preview):
            previews.append(np.asarray(event.image.convert("RGB").resize((128, 128))))

    TextToImage(prompt="red heart", seed=1).run(report, tmp_path)
    [path] = tmp_path.glob("*.png")
    with Image.open(path) as image:
        finished = np.asarray(image.convert("RGB").resize((128, 128)))
    error = np.abs(previews[-1].astype(float) - finished).mean()
    assert error < 30
    assert np.abs(previews[0].astype(float) - finished).mean() > error


@pytest.mark.slow
def test_the_number_of_empty_tokens_does_not_matter() -> None:
    """Programs that call the pipeline plainly append 256 of them; the studio none."""
    import torch
    from diffusers import StableDiffusion3Pipeline

    pipe = StableDiffusion3Pipeline.from_pretrained(
        str(MODEL), text_encoder_3=None, tokenizer_3=None, local_files_only=True
    )
    pipe.set_progress_bar_config(disable=True)
    few, many = (
        pipe(
            "red heart",
            num_inference_steps=8,
            generator=torch.Generator().manual_seed(1),
            max_sequence_length=length,
            output_type="np",
        ).images[0]
        for length in (0, 256)
    )
    assert np.abs(few - many).mean() < 0.03
