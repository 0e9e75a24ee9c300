"""Engine and Job: the one bridge between the window and the model process, and the only Qt here.

An Engine is a QThread that feeds one model process. Jobs are made and connected on the GUI thread
before they are submitted, and their signals fire only there, so that nothing is missed.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections import deque
from enum import Enum
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QThread, Signal

from engine.conversation import Conversation, Request
from engine.errors import EngineError
from engine.events import Event, Progress, Saved
from engine.messages import Ended, Events, Parked
from engine.process import ModelProcess, Standby
from engine.task import Task

log = logging.getLogger(__name__)

_numbers = itertools.count(1)


class JobState(Enum):
    QUEUED = "queued"
    RUNNING = "running"
    PARKED = "parked"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        return self in (JobState.FINISHED, JobState.FAILED, JobState.CANCELLED)


class Job(QObject):
    """One run of a task. Ends with exactly one of `finished`, `failed`, `cancelled`.

    One that is not `listed` answers at once, such as to the drag of a slider: no list shows it, no
    journal keeps it, no training waits for it.
    """

    started = Signal()
    reported = Signal(object)  # an engine.events.Event
    finished = Signal()
    failed = Signal(object)  # an EngineError
    cancelled = Signal()
    changed = Signal()  # after any of the above, and when parked

    def __init__(self, task: Task, out: Path, *, listed: bool = True) -> None:
        super().__init__()
        self.id = next(_numbers)
        self.listed = listed
        self.task = task
        self.out = out
        self.state = JobState.QUEUED
        self.progress: Progress | None = None
        self.saved: list[Path] = []
        self.error: EngineError | None = None
        self._request = Request(self.id, task, out)
        self._pace = _Pace()

    def cancel(self) -> None:
        """Stop as soon as possible; may be called at any time, from any thread."""
        self._request.cancel.set()

    @property
    def stopping(self) -> bool:
        """Asked to stop, and not at its end yet."""
        return self._request.cancel.is_set() and not self.state.ended

    @property
    def seconds_left(self) -> float | None:
        return self._pace.seconds_left(self.progress) if self.progress else None

    def _deliver(self, event: Event) -> None:
        if isinstance(event, Progress):
            self.progress = event
            self._pace.note(event)
        elif isinstance(event, Saved):
            self.saved.append(event.path)
        self.reported.emit(event)


class _Pace:
    """How fast a stage of a job goes."""

    def __init__(self) -> None:
        self._stage: tuple[str, int | None] | None = None
        self._began = 0.0
        self._first = 0

    def note(self, progress: Progress) -> None:
        stage = (progress.stage, progress.total)
        if stage != self._stage:
            self._stage, self._began, self._first = stage, time.monotonic(), progress.step

    def seconds_left(self, progress: Progress) -> float | None:
        done = progress.step - self._first
        if progress.total is None or done <= 0:
            return None
        return (time.monotonic() - self._began) / done * (progress.total - progress.step)


class Engine(QThread):
    """Runs jobs one after the other in a model process of its own."""

    jobs_changed = Signal()
    busy_changed = Signal(bool)
    _arrived = Signal()

    def __init__(self, name: str, standby: Standby, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.jobs: list[Job] = []
        self._unlisted: dict[int, Job] = {}
        self.parked = False
        self.threads = 0  # for the computation; 0 is the default of engine.device
        self.closing = False
        self._standby = standby
        self._process: ModelProcess | None = None
        self._queue: list[Request] = []
        self._changed = threading.Condition()
        self._inbox: deque[tuple[int, object]] = deque()
        # This object lives on the GUI thread, so that is where the inbox is emptied.
        self._arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    # ------------------------------------------------------------------ for the GUI thread

    def submit(self, job: Job) -> None:
        if job.listed:
            self.jobs.append(job)
            self.jobs_changed.emit()  # whoever keeps a journal writes it before the work starts
        else:
            self._unlisted[job.id] = job
        if self.closing:  # a thread begun now would outlive us
            self._tell(job._request, Ended(job._request.number, cancelled=True))
            return
        with self._changed:
            self._queue.append(job._request)
            self._changed.notify()
        if not self.isRunning():  # the thread begins with the first job
            self.start()

    def adopt(self, job: Job, error: EngineError) -> None:
        """List a job that an earlier session could not end as failed; it can be retried."""
        job.state, job.error = JobState.FAILED, error
        self.jobs.append(job)
        self.jobs_changed.emit()

    def move(self, job: Job, delta: int) -> None:
        """Bring a queued job forward (negative) or back among the queued ones."""
        with self._changed:
            if job._request not in self._queue:
                return
            place = self._queue.index(job._request)
            self._queue.insert(max(0, place + delta), self._queue.pop(place))
            numbers = [request.number for request in self._queue]
        by_number = {listed.id: listed for listed in self.jobs}
        in_order = iter(numbers)
        self.jobs = [by_number[next(in_order)] if j.id in numbers else j for j in self.jobs]
        self.jobs_changed.emit()

    def retry(self, job: Job) -> Job:
        """Submit the same task again as a new job; a training goes on where it was."""
        again = Job(job.task.again(job.out), job.out)
        self.submit(again)
        return again

    def remove(self, job: Job) -> None:
        """Take a job that has ended off the list."""
        if job.state.ended:
            self.jobs.remove(job)
            self.jobs_changed.emit()

    @property
    def busy(self) -> bool:
        return any(not job.state.ended for job in self.jobs)

    def set_parked(self, parked: bool) -> None:
        """Let the running job wait, with everything loaded, at its next report."""
        self.parked = parked

    def request_close(self) -> None:
        """Cancel everything, without waiting for it."""
        with self._changed:
            self.closing = True
            for job in (*self.jobs, *self._unlisted.values()):
                job.cancel()
            self._changed.notify()

    def close(self) -> None:
        """Cancel everything, end the model process and the thread; a few seconds at most."""
        self.request_close()
        self.wait()
        self._deliver()  # every job hears its ending

    # ------------------------------------------------------------------ on the engine's thread

    def run(self) -> None:
        while (request := self._next()) is not None:
            self._run_request(request)
        if self._process and self._process.alive:
            self._process.kill()

    def _next(self) -> Request | None:
        with self._changed:
            self._changed.wait_for(lambda: bool(self._queue) or self.closing)
            return self._queue.pop(0) if self._queue else None

    def _run_request(self, request: Request) -> None:
        if request.cancel.is_set():
            self._tell(request, Ended(request.number, cancelled=True))
            return
        self._tell(request, JobState.RUNNING)
        conversation = self._talk(request)
        if not conversation.begun and not request.cancel.is_set():
            # The process was killed while it had nothing to do; that is not this job's failure.
            conversation = self._talk(request)
        self._tell(request, conversation.ended)

    def _talk(self, request: Request) -> Conversation:
        conversation = Conversation(request, self, lambda message: self._tell(request, message))
        try:
            conversation.hold(self._ready_process())
        except OSError as error:
            conversation.fail(error)
        return conversation

    def _ready_process(self) -> ModelProcess:
        if self._process and not self._process.alive:
            self._process.kill()
            self._process = None
        if self._process is None:
            self._process = self._standby.take()
        return self._process

    def _tell(self, request: Request, message: object) -> None:
        self._inbox.append((request.number, message))
        self._arrived.emit()

    # ------------------------------------------------------------------ back on the GUI thread

    def _deliver(self) -> None:
        while self._inbox:
            number, message = self._inbox.popleft()
            job = self._unlisted.get(number) or next(j for j in self.jobs if j.id == number)
            if isinstance(message, Events):
                for event in message.events:
                    job._deliver(event)
            elif isinstance(message, Parked):
                job.state = JobState.PARKED if message.on else JobState.RUNNING
            elif isinstance(message, Ended):
                self._end(job, message)
            elif message is JobState.RUNNING:
                self._begin(job)
            job.changed.emit()

    def _begin(self, job: Job) -> None:
        job.state = JobState.RUNNING
        if job.listed:
            self.busy_changed.emit(True)
        job.started.emit()

    def _end(self, job: Job, ended: Ended) -> None:
        job.error = ended.error
        if ended.cancelled:
            job.state = JobState.CANCELLED
            job.cancelled.emit()
        elif ended.error:
            log.warning("%s failed: %s", job.task.name(), ended.error.message)
            job.state = JobState.FAILED
            job.failed.emit(ended.error)
        else:
            job.state = JobState.FINISHED
            job.finished.emit()
        if not job.listed:
            del self._unlisted[job.id]
            return
        self.jobs_changed.emit()
        if not self.busy:
            self.busy_changed.emit(False)
