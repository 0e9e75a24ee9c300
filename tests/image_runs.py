"""What the tests of trainers on images share: a few digits, and runs compared bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from engine import checkpoints
from engine.data import idx
from engine.data.digits import load_digits
from engine.errors import Cancelled
from engine.events import Event, Progress
from engine.metrics_log import OF_THE_MACHINE
from engine.runs import MetricsTail, RunFolder


def ignore(event: Event) -> None:
    pass


def cancel_at(step: int) -> Callable[[Event], None]:
    """A report that asks to stop before the step after `step`."""

    def report(event: Event) -> None:
        if isinstance(event, Progress) and event.step == step and event.stage == "learning":
            raise Cancelled

    return report


def write_digits(folder: Path, count: int, *, labels: bool = False) -> str:
    """An IDX file of so many digits, so that loading takes no time; with labels beside it."""
    images, kinds = load_digits()
    path = folder / "few-images-idx3-ubyte"
    idx.write(path, images[:count, :, :, 0])
    if labels:
        idx.write(idx.labels_path(path), kinds[:count])
    return str(path)


def weights(run: Path) -> dict[str, torch.Tensor]:
    """Every tensor of the newest checkpoint, optimizers and random numbers too."""
    _, path = RunFolder(run).checkpoints()[-1]
    names = [file.stem for file in path.glob("*.safetensors")]
    return {
        f"{name}/{key}": value
        for name in names
        for key, value in checkpoints.load_tensors(path, name).items()
    }


def assert_same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> None:
    assert first.keys() == second.keys()
    different = [name for name in first if not torch.equal(first[name], second[name])]
    assert not different


def assert_same_run(first: Path, second: Path) -> None:
    """Weights, optimizers, random numbers, what was measured, and every sample."""
    assert_same(weights(first), weights(second))
    assert measured(first) == measured(second)
    grids = [dict(RunFolder(run).samples()) for run in (first, second)]
    assert grids[0].keys() == grids[1].keys()
    for step, path in grids[0].items():
        assert path.read_bytes() == grids[1][step].read_bytes()


def measured(run: Path) -> dict[int, dict[str, float]]:
    """What the curves show, by step; but for the speed."""
    lines, _ = MetricsTail(RunFolder(run)).read()
    return {
        line.step: {k: v for k, v in line.values.items() if k not in OF_THE_MACHINE}
        for line in lines
        if line.values
    }


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)
