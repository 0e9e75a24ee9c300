"""Digits come out: a classifier of real digits must recognise what a short training draws."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from engine.data.digits import load_digits
from engine.events import Event, Saved
from engine.generators.sample_gan import SampleGan
from engine.models.gan import from_pixels
from engine.trainers.train_gan import TrainGan

STEPS = 500
NUM_IMAGES = 400


@pytest.fixture(scope="module")
def classifier() -> nn.Module:
    """Learns to read 8,000 real digits and is tested on the other 2,000."""
    torch.manual_seed(0)
    images, labels = load_digits()
    inputs, targets = from_pixels(torch.from_numpy(images)), torch.from_numpy(labels).long()
    network = nn.Sequential(
        nn.Conv2d(1, 16, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.Conv2d(16, 32, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * 7 * 7, 64),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Linear(64, 10),
    )
    optimizer = torch.optim.Adam(network.parameters(), 2e-3)
    for _ in range(4):
        for batch in torch.randperm(8000).split(100):
            optimizer.zero_grad()
            F.cross_entropy(network(inputs[batch]), targets[batch]).backward()
            optimizer.step()
    network.eval()
    with torch.no_grad():
        accuracy = (network(inputs[8000:]).argmax(1) == targets[8000:]).float().mean()
    assert accuracy > 0.95
    return network


def drawn(run: Path, out: Path, checkpoint: int) -> Tensor:
    """The images that the run's generator draws, cut out of the grid."""
    events: list[Event] = []
    SampleGan(
        run_folder=str(run), checkpoint=checkpoint, num_images=NUM_IMAGES, columns=20, seed=0
    ).run(events.append, out)
    grid = next(event.path for event in events if isinstance(event, Saved))
    with Image.open(grid) as image:
        pixels = np.asarray(image)[2:, 2:]
    cells = pixels.reshape(20, 30, 20, 30).transpose(0, 2, 1, 3).reshape(-1, 30, 30, 1)
    return from_pixels(torch.from_numpy(cells[:, :28, :28].copy()))


def readable(classifier: nn.Module, images: Tensor) -> tuple[float, int]:
    """The mean certainty of the classifier, and how many digits make up 2 % or more each."""
    with torch.no_grad():
        certainty, digits = classifier(images).softmax(1).max(1)
    return certainty.mean().item(), int((digits.bincount(minlength=10) >= NUM_IMAGES / 50).sum())


@pytest.mark.slow
@pytest.mark.timeout(1800)  # a minute on a quiet core
def test_the_default_draws_digits_of_all_kinds(classifier: nn.Module, tmp_path: Path) -> None:
    def stop_nothing(event: Event) -> None:
        pass

    TrainGan(max_steps=1, seed=1).run(stop_nothing, tmp_path / "fresh")
    _, kinds = readable(classifier, drawn(tmp_path / "fresh", tmp_path, checkpoint=1))
    assert kinds < 5  # otherwise this test could not tell a trained generator from a fresh one

    TrainGan(max_steps=STEPS, seed=1).run(stop_nothing, tmp_path / "run")
    certainty, kinds = readable(classifier, drawn(tmp_path / "run", tmp_path, checkpoint=STEPS))
    assert certainty > 0.65  # measured: 0.76, after 1,500 steps 0.84; fresh weights 0.27
    assert kinds >= 8
