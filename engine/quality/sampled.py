"""Images of a run as its own sampler draws them: what is measured is what a person would get."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import checkpoints, metadata, registry
from engine.errors import ModelError
from engine.events import Event, Progress, Report, Saved
from engine.gate.images import open_image
from engine.grid import cut_grid
from engine.learner import Learner
from engine.runs import RunFolder
from engine.task import Task

Images = NDArray[np.uint8]


def sampler_of(trainer: str) -> type[Task]:
    """The task that draws from runs of `trainer`: sample_gan for train_gan; raises ModelError."""
    name = trainer.replace("train_", "sample_", 1)
    if name == trainer or name not in registry.task_names():
        raise ModelError(
            f"Nothing draws images from a run of {trainer or 'an unknown trainer'}.",
            "Choose the run of a GAN or of another trainer of images.",
        )
    return registry.task_class(name)


def sampled(
    run: RunFolder, values: Mapping[str, Any], size: int, channels: int, report: Report
) -> tuple[int, Images]:
    """(step of the checkpoint, images (N, size, size, channels)) that the run's sampler draws.

    `values` are fields that all samplers have: checkpoint, num_images, seed. Raises what it raises.
    """
    trainer = str(run.description().get("task", ""))
    task = sampler_of(trainer).from_dict({"run_folder": str(run.path), **values})
    with tempfile.TemporaryDirectory() as folder:
        grid = _first_picture(task, report, Path(folder))
        record = metadata.read_task(grid)
        step = int(record.values.get("checkpoint", 0)) if record else 0
        pixels = np.asarray(open_image(grid).convert("RGB"))
    images = cut_grid(pixels, int(values["num_images"]), size)
    return step, images[..., :channels]


def untrained(
    run: RunFolder,
    learner: Learner,
    values: Mapping[str, Any],
    size: int,
    channels: int,
    report: Report,
) -> Images:
    """The same from a fresh `learner` of the run, which has made no step."""
    with tempfile.TemporaryDirectory() as folder:
        copy = RunFolder(Path(folder) / "run")
        copy.create(run.description())
        checkpoints.save(copy.checkpoint_path(0), 0, learner.state())
        return sampled(copy, {**values, "checkpoint": 0}, size, channels, report)[1]


def _first_picture(task: Task, report: Report, folder: Path) -> Path:
    """The grid comes first; single images and texts may follow."""
    saved: list[Path] = []

    def listen(event: Event) -> None:
        if isinstance(event, Saved):
            saved.append(event.path)
        elif isinstance(event, Progress):
            report(event)  # which is where a stop is heard

    task.run(listen, folder)
    return next(path for path in saved if path.suffix == ".png")
