"""Run folders for the tests of the training monitor, written the way the trainer writes them."""

from __future__ import annotations

import math
from pathlib import Path

from PIL import Image

from engine.runs import RunFolder

FIELDS = {"dataset": "digits", "max_steps": 100, "log_every": 10, "sample_every": 20}


def begin_run(path: Path, task: str = "train_gan") -> RunFolder:
    run = RunFolder(path)
    run.create({"task": task, "fields": FIELDS, "created": "20261122-041500"})
    run.beat("running", 0)
    return run


def learn(run: RunFolder, first: int, last: int) -> None:
    """Steps `first` … `last`: a point every 10 steps, a grid every 20."""
    for step in range(first, last + 1):
        if step % 10 == 0:
            run.log(step, values(step))
        if step % 20 == 0:
            run.save_sample(step, Image.new("L", (16, 16), 2 * step))
    run.beat("running", last)


def values(step: int) -> dict[str, float]:
    return {
        "generator_loss": math.sin(step / 10),
        "discriminator_loss": 2.0 - step / 100,
        "d_real": 0.6,
        "d_fake": 0.4,
        "steps_per_second": 5.0,
    }


def finished_run(path: Path, steps: int = 100, task: str = "train_gan") -> RunFolder:
    run = begin_run(path, task)
    learn(run, 0, steps)
    run.log_event(steps, "finished")
    run.beat("finished", steps)
    return run
