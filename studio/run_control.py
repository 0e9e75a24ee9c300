"""Steers one run through its folder, so that it works on runs of other programs too."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from engine.errors import FileError
from engine.events import Progress
from engine.runs import RunFolder
from engine.worker import Job, JobState
from studio.run_events import RunEvents
from studio.run_follower import RunState, RunUpdate
from studio.widgets.transport import Status

ANSWER_WITHIN = 5000  # milliseconds for a run to take notice of a command
NUMBER = re.compile(r"#(\d+)\b")  # of the command that an event acknowledges
ALIVE = ("running", "paused", "waiting")


@dataclass(frozen=True)
class _Sent:
    """A command on its way, and the number under which it will be acknowledged."""

    command: str
    number: int


class RunControl(QObject):
    """One run: its folder, what was last read from it, and its job where it is ours."""

    unanswered = Signal()  # a command was not noticed in time
    failed = Signal(object)  # a FileError: a command could not be written

    def __init__(self, run: RunFolder, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.run = run
        self.job: Job | None = None
        self.state: RunState | None = None
        self._sent: _Sent | None = None
        self.events = RunEvents()
        self._acknowledged: set[int] = set()

    def read(self, update: RunUpdate) -> None:
        """Take note of what the folder says now."""
        self.state = update.state
        if update.rewound:
            self._acknowledged.clear()
        said = (NUMBER.search(event) for _, event in update.marks)
        self._acknowledged.update(int(found[1]) for found in said if found)
        self.events.read(update.events, update.rewound)

    def send(self, command: str, **details: Any) -> None:
        """Ask the run for something (see engine/mailbox.py); a run that has not begun yet can only
        be stopped."""
        if command == "stop" and self.job and not self._listens(self.job):
            self.job.cancel()
        else:
            self._write(command, details)

    @property
    def listening(self) -> bool:
        """Whether somebody trains the run now and looks at its control folder."""
        if self.job and not self.job.state.ended:
            return self._listens(self.job)
        return self.state is not None and self.state.alive

    @property
    def busy(self) -> bool:
        """Whether it is being trained, or will be."""
        return self.listening or (self.job is not None and not self.job.state.ended)

    @property
    def live_values(self) -> dict[str, Any]:
        """What its live fields are now."""
        if self.state is None:
            return {}
        known = {**self.state.fields, **self.events.changed}
        return {name: known[name] for name in self.state.names("live") if name in known}

    def _listens(self, job: Job) -> bool:
        """Whether the training is where it looks at its control folder."""
        begun = self.state is not None and self.state.alive
        return begun and job.state is JobState.RUNNING

    def _write(self, command: str, details: Mapping[str, Any]) -> None:
        try:
            self._sent = _Sent(command, self.run.send(command, **details))
        except FileError as error:
            self.failed.emit(error)
            return
        QTimer.singleShot(ANSWER_WITHIN, self, self._lose_patience)

    def _lose_patience(self) -> None:
        if self._sent is None or self._noticed(self._sent):
            return
        if self._sent.command == "stop" and self.job:
            self.job.cancel()  # saves what was learned as well
        else:
            self.unanswered.emit()

    def _noticed(self, sent: _Sent) -> bool:
        return sent.number in self._acknowledged

    # ------------------------------------------------------------------ how it stands

    @property
    def total(self) -> int:
        """The step at which the run ends or ended, or was meant to."""
        planned = getattr(self.job.task, "max_steps", 0) if self.job else 0
        if planned or self.state is None:
            return int(planned)
        return max(self.state.max_steps, self.state.step)

    @property
    def resumable(self) -> bool:
        state = self.state
        return state is not None and state.checkpoint is not None and not state.newer

    def status(self, steps_per_second: float | None) -> Status:
        word, doing, step = self._standing()
        if self._sent and self._settled(self._sent, word):
            self._sent = None
        return Status(
            word,
            doing,
            step,
            self.total,
            steps_per_second,
            self._seconds_left(word, step, steps_per_second),
            self.resumable,
            self._sent.command if self._sent else "",
            self.state.memory if self.state else 0,
        )

    def _settled(self, sent: _Sent, word: str) -> bool:
        """Whether the command has had its effect, or can have none any more."""
        wanted = {"pause": "paused", "resume": "running", "stop": "stopped"}.get(sent.command)
        if word not in ALIVE or word == wanted:
            return True
        return wanted is None and self._noticed(sent)

    def _seconds_left(self, word: str, step: int, speed: float | None) -> float | None:
        if word != "running":
            return None
        if self.job and self.job.seconds_left is not None:
            return self.job.seconds_left
        return (self.total - step) / speed if speed else None

    def _standing(self) -> tuple[str, str, int]:
        """One word, the same for people, and the step."""
        job, state = self.job, self.state
        step = state.step if state else 0
        if job and not job.state.ended:
            return self._of_job(job, step)
        word = state.word if state else "waiting"
        if job and (state is None or word in ALIVE):  # it ended without a word in the folder
            word = "failed" if job.state is JobState.FAILED else "stopped"
        elif state is None:
            return "waiting", self.tr("reading the run"), step
        words = {
            "running": self.tr("learning"),
            "paused": self.tr("paused"),
            "stopped": self.tr("stopped"),
            "finished": self.tr("finished"),
            "failed": self.tr("failed"),
            "interrupted": self.tr("interrupted"),
        }
        return word, words.get(word, word), step

    def _of_job(self, job: Job, step: int) -> tuple[str, str, int]:
        progress = job.progress or Progress(step, None)
        if job.state is JobState.QUEUED:
            return "waiting", self.tr("waiting for its turn"), step
        if job.state is JobState.PARKED:
            return "waiting", self.tr("waiting for the picture"), progress.step
        if job.stopping:
            return "waiting", self.tr("stopping and saving"), progress.step
        if progress.stage == "learning":
            return "running", self.tr("learning"), progress.step
        if progress.stage == "paused":
            return "paused", self.tr("paused"), progress.step
        return "waiting", progress.stage or self.tr("starting"), max(progress.step, step)
