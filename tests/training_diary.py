"""Runs small trainings and reads what they left: shared by the tests of the training loop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from faults import temporary_files

from engine.errors import Cancelled
from engine.events import Event, Progress
from engine.runs import MetricsTail, RunFolder


class Diary:
    """Everything a training reported; `act` is asked at every event."""

    def __init__(self, act: Callable[[Event], None] | None = None) -> None:
        self.events: list[Event] = []
        self._act = act

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        if self._act:
            self._act(event)

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def at(step: int, act: Callable[[], object]) -> Callable[[Event], None]:
    """Do `act` once, before the step after `step`."""
    done: list[int] = []

    def look(event: Event) -> None:
        learning = isinstance(event, Progress) and event.stage == "learning"
        if learning and event.step == step and not done:
            done.append(step)
            act()

    return look


def cancel() -> None:
    raise Cancelled


def bits(run: Path) -> dict[str, bytes]:
    """The newest checkpoint: weights, optimizer and random numbers, byte for byte."""
    _, path = RunFolder(run).checkpoints()[-1]
    return {file.name: file.read_bytes() for file in sorted(path.iterdir())}


def losses(run: Path) -> list[tuple[int, float]]:
    lines, _ = MetricsTail(RunFolder(run)).read()
    return [(line.step, line.values["loss"]) for line in lines if line.values]


def marks(run: Path) -> list[tuple[int, str]]:
    return [(line.step, line.event) for line in MetricsTail(RunFolder(run)).read()[0] if line.event]


def samples(run: Path) -> dict[int, bytes]:
    return {step: path.read_bytes() for step, path in RunFolder(run).samples()}


def assert_same_run(first: Path, second: Path) -> None:
    assert bits(first) == bits(second)
    assert losses(first) == losses(second)
    assert samples(first) == samples(second)
    assert temporary_files(second) == []
