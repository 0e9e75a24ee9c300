"""The autoencoder: it learns, and a stopped run goes on bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine import checkpoints
from engine.errors import ModelError
from engine.events import Event
from engine.models import tiny_autoencoder
from engine.models.autoencoder_source import load_autoencoder
from engine.runs import MetricsTail, RunFolder
from engine.trainers.train_autoencoder import TrainAutoencoder

TINY = {"image_size": 32, "crop_size": 16, "width": 8, "batch_size": 4, "seed": 5, "log_every": 1}


def ignore(event: Event) -> None:
    pass


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("pictures")
    for index, color in enumerate(("red", "green", "blue", "gold")):
        picture = Image.new("RGB", (32, 32), "white")
        picture.paste(color, (4 + index, 8, 24, 24))
        picture.save(folder / f"{color}.png")
    return str(folder)


def quality(autoencoder: torch.nn.Module, pictures: str) -> float:
    """How well the pictures come back through latents an eighth as wide, in dB."""
    images = [np.array(Image.open(path).convert("RGB")) for path in Path(pictures).iterdir()]
    seen = tiny_autoencoder.to_tensor(torch.from_numpy(np.stack(images)))
    with torch.no_grad():
        latents = autoencoder.encode(seen).latents
        assert latents.shape == (4, 16, 4, 4)
        return tiny_autoencoder.psnr(seen, autoencoder.decode(latents).sample)


def losses(run: Path) -> list[float]:
    lines, _ = MetricsTail(RunFolder(run)).read()
    return [line.values["loss"] for line in lines if "loss" in line.values]


def test_it_learns_to_give_back_what_it_saw(pictures: str, tmp_path: Path) -> None:
    wider = {**TINY, "width": 24, "batch_size": 8}
    task = TrainAutoencoder(dataset=pictures, max_steps=200, learning_rate=2e-3, **wider)
    task.run(ignore, tmp_path)
    measured = losses(tmp_path)
    assert np.mean(measured[-10:]) < 0.45 * np.mean(measured[:10])
    untrained = tiny_autoencoder.build(tiny_autoencoder.AutoencoderConfig(16, 24))
    assert quality(load_autoencoder(str(tmp_path)), pictures) > quality(untrained, pictures) + 2


def test_a_stopped_run_goes_on_bit_for_bit(pictures: str, tmp_path: Path) -> None:
    whole = TrainAutoencoder(dataset=pictures, max_steps=6, checkpoint_every=3, **TINY)
    whole.run(ignore, tmp_path / "whole")
    whole.run(ignore, tmp_path / "parts")
    parts = RunFolder(tmp_path / "parts")
    checkpoint = dict(parts.checkpoints())
    for file in checkpoint[6].iterdir():
        file.unlink()
    TrainAutoencoder(dataset=pictures, max_steps=6, resume=True).run(ignore, tmp_path / "parts")
    for name in ("autoencoder", "average", "optimizer"):
        one = checkpoints.load_tensors(RunFolder(tmp_path / "whole").checkpoint_path(6), name)
        other = checkpoints.load_tensors(parts.checkpoint_path(6), name)
        assert all(torch.equal(one[key], other[key]) for key in one), name
    assert losses(tmp_path / "whole") == losses(tmp_path / "parts")


def test_pixels_come_back_from_tensors() -> None:
    pixels = torch.randint(0, 256, (2, 5, 7, 3), dtype=torch.uint8)
    back = tiny_autoencoder.to_pixels(tiny_autoencoder.to_tensor(pixels))
    assert torch.equal(back, pixels)


def test_a_run_of_something_else_is_no_autoencoder(tmp_path: Path) -> None:
    RunFolder(tmp_path).create({"task": "train_gan"})
    with pytest.raises(ModelError, match="no trained autoencoder"):
        load_autoencoder(str(tmp_path))
