"""The jobs of all engines as one list: what runs, then the queue in its order, then the past."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QCoreApplication,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    QTimer,
)

from engine import amounts
from engine.task import Task
from engine.worker import Engine, Job, JobState

JOB_ROLE = int(Qt.ItemDataRole.UserRole)
SEARCH_ROLE = JOB_ROLE + 1

REFRESH_INTERVAL = 100
"""Milliseconds between two updates of what the list shows, however many events arrive."""

LONGEST_SUBJECT = 300  # a row shows less; a whole page would be slow to measure

Index = QModelIndex | QPersistentModelIndex


class JobList(QAbstractListModel):
    """Reads the engines again, ten times a second at most, after they or a job have changed."""

    def __init__(self, engines: Sequence[Engine], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engines = tuple(engines)
        self._jobs: list[Job] = []
        self._words: list[str] = []
        self._timer = QTimer(self, singleShot=True, interval=REFRESH_INTERVAL)
        self._timer.timeout.connect(self.refresh)
        for engine in self._engines:
            engine.jobs_changed.connect(self.refresh)
        self.refresh()

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._jobs)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        job = self._jobs[index.row()]
        if role == JOB_ROLE:
            return job
        if role == Qt.ItemDataRole.DisplayRole:
            return job_title(job.task)
        if role == SEARCH_ROLE:
            return f"{job_title(job.task)} {self._words[index.row()]}"
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{job_title(job.task)}: {self._words[index.row()]}"
        return None

    def engine_of(self, job: Job) -> Engine:
        return next(engine for engine in self._engines if job in engine.jobs)

    def refresh(self) -> None:
        """Show the jobs as they are now."""
        jobs = in_order([job for engine in self._engines for job in engine.jobs])
        words = [state_words(job) for job in jobs]
        if jobs != self._jobs:
            self._replace(jobs, words)
            return
        for row, (before, now) in enumerate(zip(self._words, words, strict=True)):
            if before != now:
                self._words[row] = now
                self.dataChanged.emit(self.index(row), self.index(row))

    def _replace(self, jobs: list[Job], words: list[str]) -> None:
        known = {job.id for job in self._jobs}
        for job in jobs:
            if job.id not in known:
                job.changed.connect(self._refresh_soon)
        self.beginResetModel()
        self._jobs, self._words = jobs, words
        self.endResetModel()

    def _refresh_soon(self) -> None:
        if not self._timer.isActive():
            self._timer.start()


def in_order(jobs: Sequence[Job]) -> list[Job]:
    """What runs first, then the queue as it will be taken, then what has ended, newest first."""
    running = [job for job in jobs if job.state in (JobState.RUNNING, JobState.PARKED)]
    queued = [job for job in jobs if job.state is JobState.QUEUED]
    ended = sorted((job for job in jobs if job.state.ended), key=lambda job: -job.id)
    return [*running, *queued, *ended]


def job_title(task: Task) -> str:
    """What a person calls this job: the kind of work, and the prompt or dataset it is about."""
    about = subject(task)
    return f"{task.title}: {about}" if about else task.title


def subject(task: Task) -> str:
    """The prompt of a task, else its dataset, on one line; empty when it has neither."""
    for field in task.fields():
        if field.param.kind == "prompt" or field.name in ("dataset", "run", "pack", "repository"):
            return " ".join(str(getattr(task, field.name)).split())[:LONGEST_SUBJECT]
    return ""


def state_words(job: Job) -> str:
    """What a job is doing, how far it is and how long it will take, in one line."""
    words = _state_words(job)
    if job.state is not JobState.RUNNING or job.progress is None:
        return words
    progress = job.progress
    if count := amounts.progress_told(progress, progress.step):
        words += f" · {count}"
    if job.seconds_left is not None:
        words += f" · {time_left(job.seconds_left)}"
    return words


def _state_words(job: Job) -> str:
    def tr(text: str) -> str:
        return QCoreApplication.translate("JobList", text)

    if job.stopping:
        return tr("Stopping…")
    if job.state is JobState.RUNNING and job.progress and job.progress.stage:
        stage = job.progress.stage
        return stage[0].upper() + stage[1:]
    if job.state is JobState.FAILED and job.error:
        return job.error.message
    return {
        JobState.QUEUED: tr("Waiting"),
        JobState.RUNNING: tr("Starting"),
        JobState.PARKED: tr("Paused while something else is made"),
        JobState.FINISHED: tr("Done"),
        JobState.FAILED: tr("Failed"),
        JobState.CANCELLED: tr("Stopped"),
    }[job.state]


def time_left(seconds: float) -> str:
    """`8 s left`, `3 min left`, `1 h 20 min left`."""

    def tr(text: str) -> str:
        return QCoreApplication.translate("JobList", text)

    whole = math.ceil(seconds)
    if whole < 60:
        return tr("{} s left").format(whole)
    minutes = math.ceil(seconds / 60)
    if minutes < 60:
        return tr("{} min left").format(minutes)
    return tr("{} h {} min left").format(*divmod(minutes, 60))
