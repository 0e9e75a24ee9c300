"""Small trainings of language models, and what tests ask of their runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.errors import Cancelled
from engine.events import Event, Progress
from engine.metrics_log import OF_THE_MACHINE
from engine.runs import MetricsTail, RunFolder

CADENCE = {"log_every": 1, "sample_every": 4, "checkpoint_every": 4, "validate_every": 2}


def save_text(folder: Path, lines: int = 300) -> str:
    """A text that can be learned: whoever counts the sheep."""
    path = folder / "sheep.txt"
    animals = ("sheep", "goat", "fox", "owl")
    path.write_text("".join(f"One {animals[n % 4]} sleeps in the snow.\n" for n in range(lines)))
    return str(path)


def cancel_at(step: int) -> Any:
    """A report that stops the training before the step after `step`."""

    def report(event: Event) -> None:
        if isinstance(event, Progress) and event.stage == "learning" and event.step == step:
            raise Cancelled

    return report


def measured(run: Path) -> list[tuple[int, dict[str, float]]]:
    """Everything in metrics.jsonl that does not depend on the clock."""
    lines, _ = MetricsTail(RunFolder(run)).read()
    return [
        (line.step, {k: v for k, v in line.values.items() if k not in OF_THE_MACHINE})
        for line in lines
        if line.values
    ]


def events(run: Path) -> list[tuple[int, str]]:
    lines, _ = MetricsTail(RunFolder(run)).read()
    return [(line.step, line.event) for line in lines if line.event]


def bits(run: Path) -> dict[str, bytes]:
    """The newest checkpoint, byte for byte."""
    _, path = RunFolder(run).checkpoints()[-1]
    return {file.name: file.read_bytes() for file in path.iterdir()}


def texts(run: Path) -> dict[int, str]:
    return {step: path.read_text("utf-8") for step, path in RunFolder(run).samples()}


def assert_same_run(first: Path, second: Path) -> None:
    assert bits(first) == bits(second)
    assert measured(first) == measured(second)
    assert texts(first) == texts(second)
