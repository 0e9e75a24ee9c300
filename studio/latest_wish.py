"""One quick job at a time, always for what is wanted last: as a slider is dragged, say."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from engine import folders
from engine.events import Event
from engine.task import Task
from engine.worker import Engine, Job


class LatestWish(QObject):
    """What is wished while a job runs waits, and only the latest of it is then carried out: however
    fast the wishes come, the queue stays empty, and the last one is never dropped."""

    reported = Signal(object)  # an event of the job for the latest wish that was begun
    ended = Signal(object)  # that job

    def __init__(self, engine: Engine, parent: QObject) -> None:
        super().__init__(parent)
        self._engine = engine
        self._wanted: Callable[[], Task] | None = None
        self._job: Job | None = None

    @property
    def busy(self) -> bool:
        return self._job is not None

    def want(self, task: Callable[[], Task]) -> None:
        """`task` makes the task when its turn has come, from what is set then."""
        self._wanted = task
        self._next()

    def forget(self) -> None:
        """Nothing is wanted any more; what is running says nothing."""
        self._wanted = None
        if job := self._part():
            job.cancel()

    def _next(self) -> None:
        if self._job or self._wanted is None:
            return
        make, self._wanted = self._wanted, None
        self._job = Job(make(), folders.outputs(), listed=False)
        # Methods of an object that is deleted are called no more: a job may outlive us.
        self._job.reported.connect(self._hear)
        self._job.changed.connect(self._changed)
        self._engine.submit(self._job)

    def _hear(self, event: Event) -> None:
        self.reported.emit(event)

    def _changed(self) -> None:
        if self._job and self._job.state.ended and (job := self._part()):
            self.ended.emit(job)
            self._next()

    def _part(self) -> Job | None:
        """From the job that runs, which is heard no more."""
        job, self._job = self._job, None
        if job:
            job.reported.disconnect(self._hear)
            job.changed.disconnect(self._changed)
        return job
