"""The window's side of one job: what is said to the model process until the job has ended."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from engine.errors import EngineError, ModelProcessDied
from engine.messages import Begun, CancelTask, Ended, Park, RunTask, Stopping
from engine.process import ModelProcess
from engine.task import Task

log = logging.getLogger(__name__)

KILL_AFTER = 1.5  # seconds in which a cancelled task must have answered
SAVE_WITHIN = 10.0  # seconds that a task which has answered may take to tidy up
CLOSE_WITHIN = 3.0  # seconds for the running job when the studio closes
POLL = 0.05  # seconds between looks at the pipe and at the cancel flag


@dataclass(frozen=True, eq=False)
class Request:
    """What the engine's thread knows of a job: a QObject must never die on another thread."""

    number: int
    task: Task
    out: Path
    cancel: threading.Event = field(default_factory=threading.Event)


class Wishes(Protocol):
    """What the person wants of an engine, whatever it is doing."""

    parked: bool
    threads: int
    closing: bool


class Conversation:
    """Talks with a model process about one job; `ended` says how it ended, one way or another."""

    def __init__(self, request: Request, wishes: Wishes, tell: Callable[[object], None]) -> None:
        self._request = request
        self._wishes = wishes
        self._tell = tell
        self._deadline: float | None = None
        self._parked = False
        self._hurried = False
        self.begun = False
        self.ended = Ended(request.number, cancelled=True)

    def hold(self, process: ModelProcess) -> None:
        """Give the task to `process` and listen until it has ended."""
        request = self._request
        try:
            process.connection.send(
                RunTask(request.number, request.task, request.out, self._wishes.threads)
            )
            while not self._overdue():
                self._pass_on(process)
                if process.connection.poll(POLL):
                    message = process.connection.recv()
                    if isinstance(message, Ended):
                        self.ended = message
                        return
                    self._take(message)
            log.info("job %d did not stop in time; its process is ended", request.number)
            process.kill()
        except (EOFError, OSError):
            self._note_death(process)

    def fail(self, error: OSError) -> None:
        """There is no process to talk with."""
        self.begun = True
        self.ended = Ended(
            self._request.number,
            EngineError(
                f"No model process could be started: {error.strerror or error}.",
                "Close other programs, then try again.",
            ),
        )

    def _take(self, message: object) -> None:
        if isinstance(message, Begun):
            self.begun = True
        elif isinstance(message, Stopping):
            self._allow(SAVE_WITHIN)
        else:
            self._tell(message)

    def _pass_on(self, process: ModelProcess) -> None:
        """Tell the process what the person has decided meanwhile."""
        if self._wishes.parked != self._parked:
            self._parked = self._wishes.parked
            process.connection.send(Park(self._parked))
        if self._deadline is None and self._request.cancel.is_set():
            self._allow(KILL_AFTER)
            process.connection.send(CancelTask(self._request.number))

    def _allow(self, seconds: float) -> None:
        self._hurried = self._wishes.closing
        self._deadline = time.monotonic() + (
            min(seconds, CLOSE_WITHIN) if self._hurried else seconds
        )

    def _overdue(self) -> bool:
        if self._deadline is None:
            return False
        if self._wishes.closing and not self._hurried:
            self._hurried = True
            self._deadline = min(self._deadline, time.monotonic() + CLOSE_WITHIN)
        return time.monotonic() > self._deadline

    def _note_death(self, process: ModelProcess) -> None:
        if not self._request.cancel.is_set():
            self.ended = Ended(
                self._request.number,
                ModelProcessDied(
                    "The model process stopped in the middle of its work: "
                    f"{process.exit_reason()}.",
                    "This often means that the memory was not enough. Try again with a smaller "
                    "size or model; nothing else was lost.",
                ),
            )
        process.kill()
