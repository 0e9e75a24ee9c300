"""Reads a run folder as it grows, off the GUI thread: live, past, or written by another machine."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from engine import liveness
from engine.errors import FileError
from engine.runs import FORMAT, Heartbeat, MetricLine, MetricsTail, RunFolder
from studio.background import Background

LIVE_EVERY, IDLE_EVERY = 500, 2000  # milliseconds between looks nobody asked for
AT_MOST_EVERY = 100  # milliseconds between looks, however many were asked for

Columns = Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]]


@dataclass(frozen=True)
class RunState:
    """How a run stands: what run.json and the heartbeat say, and what that means."""

    description: Mapping[str, Any]
    heartbeat: Heartbeat | None
    checkpoint: int | None
    """The step of the newest checkpoint, from which the run could go on."""
    checkpoints: tuple[int, ...] = ()
    """The steps of all of them, rising."""
    memory: int = 0
    """Bytes that the process which trains it holds; 0 where that cannot be known."""

    @property
    def word(self) -> str:
        """running, paused, stopped, finished, failed or interrupted."""
        beat = self.heartbeat
        if beat is None or (beat.state in ("running", "paused") and not beat.alive):
            return "interrupted"
        return beat.state

    @property
    def alive(self) -> bool:
        return self.heartbeat is not None and self.heartbeat.alive

    @property
    def step(self) -> int:
        return self.heartbeat.step if self.heartbeat else 0

    @property
    def task(self) -> str:
        """The name of the trainer."""
        return str(self.description.get("task", ""))

    @property
    def fields(self) -> dict[str, Any]:
        """The settings of the training."""
        fields = self.description.get("fields")
        return fields if isinstance(fields, dict) else {}

    def names(self, key: str) -> tuple[str, ...]:
        """A list of names in run.json: "parts" that can step alone, "live" fields."""
        found = self.description.get(key)
        return tuple(map(str, found)) if isinstance(found, list) else ()

    @property
    def newer(self) -> bool:
        """Whether a later version made the run, which this one must not go on with."""
        made = self.description.get("format", FORMAT)
        return not isinstance(made, int) or made > FORMAT

    @property
    def max_steps(self) -> int:
        """As run.json says; a resumed run may go further."""
        steps = self.fields.get("max_steps")
        return steps if isinstance(steps, int) else 0


@dataclass(frozen=True)
class RunUpdate:
    """What is new in a run folder since the last look."""

    run: RunFolder
    state: RunState
    columns: Columns
    marks: list[tuple[int, str]]
    """(step, event) as the trainer wrote them down."""
    rewound: bool
    """Whether everything told before is void: the run went back to a checkpoint."""
    samples: list[tuple[int, Path]]
    events: list[MetricLine]
    """The lines that `marks` were taken from, with what programs can use of them."""


class RunFollower(QObject):
    """Follows one run. `updated` tells all there is first, then what is new."""

    updated = Signal(object)  # a RunUpdate
    failed = Signal(object)  # a FileError

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = Background(self)
        self._run: RunFolder | None = None
        self._tail: MetricsTail | None = None
        self._reading = False
        self._again = False
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.refresh)
        self._soon = QTimer(self, singleShot=True, interval=AT_MOST_EVERY)
        self._soon.timeout.connect(self._read)

    @property
    def run(self) -> RunFolder | None:
        return self._run

    def follow(self, run: RunFolder | None) -> None:
        """Begin with another run, or with none."""
        self._run = run
        self._tail = MetricsTail(run) if run else None
        self._again = False
        self._soon.stop()
        self._timer.stop()
        if run:
            self._timer.start(LIVE_EVERY)
            self._read()

    def refresh(self) -> None:
        """Look again soon; any number of calls make at most ten looks a second."""
        if self._run and not self._soon.isActive():
            self._soon.start()

    def _read(self) -> None:
        run, tail = self._run, self._tail
        if run is None or tail is None:
            return
        if self._reading:
            self._again = True
            return
        self._reading = True
        self._background.run(lambda: (tail, look(run, tail)), self._deliver)

    def _deliver(self, result: tuple[MetricsTail, RunUpdate | FileError | None]) -> None:
        tail, update = result
        self._reading = False
        if tail is not self._tail:  # another run is followed now
            self._read()
            return
        if isinstance(update, RunUpdate):
            self._timer.setInterval(LIVE_EVERY if update.state.alive else IDLE_EVERY)
            self.updated.emit(update)
        elif update is not None:
            self._timer.stop()
            self.failed.emit(update)
        if self._again:
            self._again = False
            self.refresh()


def look(run: RunFolder, tail: MetricsTail) -> RunUpdate | FileError | None:
    """What is new in `run`; None while the trainer has not made the folder yet."""
    if not run.exists:
        return None
    try:
        state = read_state(run)
        lines, rewound = tail.read()
        samples = run.samples()
    except FileError as error:
        return error
    except OSError as error:
        return FileError(f"{run.path} cannot be read: {error.strerror}.", "Is it still there?")
    events = [line for line in lines if line.event]
    marks = [(line.step, line.event) for line in events]
    return RunUpdate(run, state, _columns(lines), marks, rewound, samples, events)


def read_state(run: RunFolder) -> RunState:
    """How `run` stands; raises FileError."""
    steps = tuple(step for step, _ in run.checkpoints())
    beat = run.heartbeat()
    here = beat is not None and beat.alive and beat.host == socket.gethostname()
    memory = liveness.memory(beat.pid) if beat and here else 0
    return RunState(run.description(), beat, steps[-1] if steps else None, steps, memory)


def _columns(lines: list[MetricLine]) -> Columns:
    """The values by metric. A step measured twice after a crash counts once, the later time."""
    table: dict[str, dict[int, float]] = {}
    for line in lines:
        for name, value in line.values.items():
            table.setdefault(name, {})[line.step] = value
    return {
        name: (np.array(sorted(found), float), np.array([found[s] for s in sorted(found)], float))
        for name, found in table.items()
    }
