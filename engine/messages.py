"""What crosses the pipe between the window and the model process: plain data only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import EngineError
from engine.events import Event
from engine.task import Task

# window → model process


@dataclass(frozen=True)
class RunTask:
    job: int
    task: Task
    out: Path
    threads: int = 0


@dataclass(frozen=True)
class CancelTask:
    job: int


@dataclass(frozen=True)
class Park:
    """Wait at the next report until `on` is False again."""

    on: bool


# model process → window


@dataclass(frozen=True)
class Begun:
    """The process has the task; from here on its death is the task's failure."""

    job: int


@dataclass(frozen=True)
class Events:
    job: int
    events: Sequence[Event]


@dataclass(frozen=True)
class Parked:
    job: int
    on: bool


@dataclass(frozen=True)
class Stopping:
    """Cancelled was raised in the task, which now tidies up (a trainer saves its checkpoint)."""

    job: int


@dataclass(frozen=True)
class Ended:
    """The end of a run: `error` when it failed, `cancelled` when it was stopped."""

    job: int
    error: EngineError | None = None
    cancelled: bool = False
