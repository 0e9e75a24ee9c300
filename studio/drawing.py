"""The pictures being drawn: their jobs, what they show on the way, what they leave."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from engine.errors import EngineError
from engine.events import Event, Notice, Preview, Saved
from engine.task import Task
from engine.worker import Engine, Job
from studio import images


class Drawing(QObject):
    """Any number of jobs may wait; the oldest is the one that is drawn."""

    changed = Signal()
    previewed = Signal(object, QImage)  # Job, and its half-made image
    saved = Signal(object, object)  # Job, and the Path of what it has made
    failed = Signal(object, object)  # Job, and the EngineError it met
    noticed = Signal(str)
    ended = Signal(object)  # Job, however it ended

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._jobs: list[Job] = []

    @property
    def running(self) -> bool:
        return bool(self._jobs)

    def start(self, task: Task, out: Path) -> Job:
        """Draw `task` as soon as what waits before it is done."""
        job = Job(task, out)
        job.reported.connect(lambda event, job=job: self._take(job, event))
        job.finished.connect(lambda job=job: self._end(job))
        job.failed.connect(lambda error, job=job: self._fail(job, error))
        job.cancelled.connect(lambda job=job: self._end(job))
        self._jobs.append(job)
        self._engine.submit(job)
        self.changed.emit()
        return job

    def stop(self) -> None:
        """Stop the picture that is being drawn; those that wait behind it come next."""
        if self._jobs:
            self._jobs[0].cancel()

    def status(self) -> str:
        """What is going on, how far it is, how long it still takes."""
        if not self._jobs:
            return ""
        job = self._jobs[0]
        progress = job.progress
        if progress is None:
            return self.tr("Waiting for its turn …")
        parts = [progress.stage[:1].upper() + progress.stage[1:]]
        if progress.total:
            parts.append(self.tr("{} of {}").format(progress.step, progress.total))
        if job.seconds_left is not None:
            parts.append(self.tr("{:.0f} s left").format(max(job.seconds_left, 1)))
        if len(self._jobs) > 1:
            parts.append(self.tr("{} more waiting").format(len(self._jobs) - 1))
        return " · ".join(parts)

    def fraction(self) -> float | None:
        """How much is done, 0 to 1; None where that is not known."""
        progress = self._jobs[0].progress if self._jobs else None
        return progress.step / progress.total if progress and progress.total else None

    def _take(self, job: Job, event: Event) -> None:
        if isinstance(event, Preview):
            self.previewed.emit(job, images.from_pil(event.image))
        elif isinstance(event, Saved):
            self.saved.emit(job, event.path)
        elif isinstance(event, Notice):
            self.noticed.emit(event.message)
        self.changed.emit()

    def _end(self, job: Job) -> None:
        self._jobs.remove(job)
        self.changed.emit()
        self.ended.emit(job)

    def _fail(self, job: Job, error: EngineError) -> None:
        self._end(job)
        self.failed.emit(job, error)
