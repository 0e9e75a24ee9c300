"""Removing noise with the embedded networks: nearer to the clean picture, size and opacity kept."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from engine import folders, metadata
from engine.errors import Cancelled, FileError
from engine.events import Event, Progress, Saved
from engine.generators.remove_noise import LEVELS, RemoveNoise
from engine.picture_networks.ncnn_network import load_ncnn
from engine.picture_networks.tiling import colors_only, run_tiled

FOLDER = folders.RESOURCES / "models" / "waifu2x"


def clean() -> NDArray[np.uint8]:
    heights = np.random.default_rng(1).integers(60, 200, (8, 12, 3)).astype(np.uint8)
    image = Image.fromarray(heights).resize((96, 64), Image.Resampling.BICUBIC)  # soft hills
    ImageDraw.Draw(image).ellipse((20, 10, 70, 50), fill=(200, 60, 40), outline="black")
    return np.asarray(image)


def grainy(pixels: NDArray[np.uint8], deviation: float) -> Image.Image:
    noise = np.random.default_rng(0).normal(0, deviation, pixels.shape)
    return Image.fromarray((pixels + noise).clip(0, 255).astype(np.uint8))


def compressed(pixels: NDArray[np.uint8]) -> Image.Image:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=20)
    return Image.open(stream)


def psnr(image: Image.Image, pixels: NDArray[np.uint8]) -> float:
    difference = np.asarray(image).astype(float) - pixels
    return float(10 * np.log10(255**2 / (difference**2).mean()))


def run(image: Image.Image, folder: Path, **values: object) -> tuple[Path, Image.Image]:
    image.save(folder / "noisy.png")
    events: list[Event] = []
    task = RemoveNoise.from_dict({"image": str(folder / "noisy.png"), **values})
    task.run(events.append, folder / "out")
    [saved] = [event.path for event in events if isinstance(event, Saved)]
    with Image.open(saved) as made:
        made.load()
    return saved, made


@pytest.mark.parametrize(
    ("level", "deviation", "better"), [("light", 0, 0.5), ("medium", 10, 3), ("strong", 25, 5)]
)
def test_each_level_brings_the_picture_nearer_to_the_clean_one(
    tmp_path: Path, level: str, deviation: float, better: float
) -> None:
    pixels = clean()
    noisy = grainy(pixels, deviation) if deviation else compressed(pixels)
    _, made = run(noisy, tmp_path, level=level)
    assert made.size == noisy.size
    assert psnr(made, pixels) > psnr(noisy, pixels) + better


def test_strength_mixes_and_zero_changes_nothing(tmp_path: Path) -> None:
    noisy = grainy(clean(), 10)
    whole, half, none = (
        np.asarray(run(noisy, tmp_path, strength=strength)[1]).astype(float)
        for strength in (100, 50, 0)
    )
    assert np.array_equal(none, np.asarray(noisy))
    assert np.abs(half - (whole + none) / 2).max() <= 1
    assert np.abs(whole - none).mean() > 2


def test_opacity_and_hidden_colours_stay(tmp_path: Path) -> None:
    pixels = np.dstack([np.asarray(grainy(clean(), 15)), np.zeros((64, 96), np.uint8)])
    pixels[:, 30:60, 3] = 255
    pixels[:, 60:, 3] = 90
    made = np.asarray(run(Image.fromarray(pixels), tmp_path)[1])
    assert np.array_equal(made[..., 3], pixels[..., 3])
    assert np.array_equal(made[:, :30], pixels[:, :30])
    assert not np.array_equal(made[:, 30:], pixels[:, 30:])


@pytest.mark.parametrize("level", LEVELS)
def test_tiles_leave_no_seam(level: str) -> None:
    network = load_ncnn(FOLDER, level)
    pixels = np.asarray(grainy(clean(), 10))

    def through(tile: int) -> NDArray[np.int16]:
        tiled = replace(network, tile=tile)
        made = run_tiled(tiled, pixels, lambda event: None, "", scale=1, through=colors_only)
        return made.astype(np.int16)

    assert np.abs(through(20) - through(200)).max() <= 1


def test_it_tells_how_it_was_made_and_from_what(tmp_path: Path) -> None:
    first, _ = run(grainy(clean(), 10), tmp_path)
    assert first.name == "noisy-clean.png"
    record = metadata.read_task(first)
    assert record is not None
    assert record.name == "remove_noise"
    assert record.values == {"image": "noisy.png", "level": "medium", "strength": 100.0}
    assert record.made_with["network"] == "waifu2x medium"
    assert len(record.model_hash) == 64
    RemoveNoise(image=str(first)).run(lambda event: None, tmp_path)
    again = metadata.read_task(tmp_path / "noisy-clean-clean.png")
    assert again is not None
    assert again.source is not None
    assert again.source.values == record.values


def test_a_stop_leaves_nothing_and_errors_are_said(tmp_path: Path) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, Progress) and event.total:
            raise Cancelled

    grainy(clean(), 5).save(tmp_path / "a.png")
    with pytest.raises(Cancelled):
        RemoveNoise(image=str(tmp_path / "a.png")).run(stop, tmp_path / "out")
    with pytest.raises(FileError, match="no picture"):
        RemoveNoise(image=str(tmp_path / "b.png")).run(stop, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_its_licence_is_there() -> None:
    licence = (folders.RESOURCES / "licences" / "waifu2x.txt").read_text(encoding="utf-8")
    for words in ("nagadomi", "nihui", "喵小吉", "THE SOFTWARE IS PROVIDED"):
        assert words in licence
