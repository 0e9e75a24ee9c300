"""Engine and Job: the one bridge between the window and the model process, and the only Qt here.

An Engine is a QThread that feeds one model process. Jobs are made and connected on the GUI thread
before they are submitted, and their signals fire only there, so that nothing is missed.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from enum import Enum
from pathlib import Path

from PySide6.QtCore import QObject, QThread, Signal

from engine.errors import EngineError, ModelProcessDied
from engine.process import (
    CancelTask,
    Ended,
    Events,
    ModelProcess,
    Park,
    Parked,
    RunTask,
    Standby,
    Stopping,
)
from engine.task import Event, Progress, Saved, Task

log = logging.getLogger(__name__)

KILL_AFTER = 1.5  # seconds in which a cancelled task must have answered
SAVE_WITHIN = 10.0  # seconds that a task which has answered may take to tidy up
CLOSE_WITHIN = 3.0  # seconds for the running job when the studio closes
POLL = 0.05  # seconds between looks at the pipe and at the cancel flag

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
    """One run of a task. Ends with exactly one of `finished`, `failed`, `cancelled`."""

    started = Signal()
    reported = Signal(object)  # an engine.task.Event
    finished = Signal()
    failed = Signal(object)  # an EngineError
    cancelled = Signal()
    changed = Signal()  # after any of the above, and when parked

    def __init__(self, task: Task, out: Path) -> None:
        super().__init__()
        self.id = next(_numbers)
        self.task = task
        self.out = out
        self.state = JobState.QUEUED
        self.progress: Progress | None = None
        self.saved: list[Path] = []
        self.error: EngineError | None = None
        self.cancel_requested = threading.Event()
        self._pace = _Pace()

    def cancel(self) -> None:
        """Stop as soon as possible; may be called at any time, from any thread."""
        self.cancel_requested.set()

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
    _messages = Signal(object, object)  # Job, a message of the model process or a JobState

    def __init__(self, name: str, standby: Standby, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.jobs: list[Job] = []
        self.parked = False
        self._standby = standby
        self._process: ModelProcess | None = None
        self._queue: list[Job] = []
        self._changed = threading.Condition()
        self._closing = False
        self._messages.connect(self._deliver)  # this object lives on the GUI thread
        self.start()

    # ------------------------------------------------------------------ for the GUI thread

    def submit(self, job: Job) -> None:
        self.jobs.append(job)
        with self._changed:
            self._queue.append(job)
            self._changed.notify()
        self.jobs_changed.emit()

    def move(self, job: Job, delta: int) -> None:
        """Bring a queued job forward (negative) or back among the queued ones."""
        with self._changed:
            if job not in self._queue:
                return
            place = self._queue.index(job)
            self._queue.insert(max(0, place + delta), self._queue.pop(place))
            waiting = list(self._queue)
        in_order = iter(waiting)
        self.jobs = [next(in_order) if listed in waiting else listed for listed in self.jobs]
        self.jobs_changed.emit()

    def retry(self, job: Job) -> Job:
        """Submit the same task again as a new job."""
        again = Job(job.task, job.out)
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

    def close(self) -> None:
        """Cancel what runs, end the model process and the thread; takes a few seconds at most."""
        with self._changed:
            self._closing = True
            for job in self.jobs:
                job.cancel()
            self._changed.notify()
        self.wait()

    # ------------------------------------------------------------------ on the engine's thread

    def run(self) -> None:
        while (job := self._next()) is not None:
            self._run_job(job)
        if self._process:
            self._process.kill()

    def _next(self) -> Job | None:
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing)
            return self._queue.pop(0) if self._queue else None

    def _run_job(self, job: Job) -> None:
        if job.cancel_requested.is_set():
            self._messages.emit(job, Ended(job.id, cancelled=True))
            return
        self._messages.emit(job, JobState.RUNNING)
        process = self._ready_process()
        ended = _Conversation(self, process, job).run()
        if not process.alive:
            process.kill()
            self._process = None
        self._messages.emit(job, ended)

    def _ready_process(self) -> ModelProcess:
        if self._process and not self._process.alive:  # killed while it had nothing to do
            self._process.kill()
            self._process = None
        if self._process is None:
            self._process = self._standby.take()
        return self._process

    # ------------------------------------------------------------------ back on the GUI thread

    def _deliver(self, job: Job, message: object) -> None:
        if isinstance(message, Events):
            for event in message.events:
                job._deliver(event)
            job.changed.emit()
        elif isinstance(message, Parked):
            job.state = JobState.PARKED if message.on else JobState.RUNNING
            job.changed.emit()
        elif isinstance(message, Ended):
            self._end(job, message)
        elif message is JobState.RUNNING:
            job.state = JobState.RUNNING
            self.busy_changed.emit(True)
            job.started.emit()
            job.changed.emit()

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
        job.changed.emit()
        self.jobs_changed.emit()
        if not self.busy:
            self.busy_changed.emit(False)


class _Conversation:
    """Talks with the model process about one job until it has ended, one way or another."""

    def __init__(self, engine: Engine, process: ModelProcess, job: Job) -> None:
        self._engine = engine
        self._process = process
        self._job = job
        self._deadline: float | None = None
        self._parked = False

    def run(self) -> Ended:
        try:
            self._process.connection.send(RunTask(self._job.id, self._job.task, self._job.out))
            while True:
                self._tell()
                if self._process.connection.poll(POLL):
                    message = self._process.connection.recv()
                    if isinstance(message, Ended):
                        return message
                    if isinstance(message, Stopping):
                        self._deadline = time.monotonic() + self._patience(SAVE_WITHIN)
                    else:
                        self._engine._messages.emit(self._job, message)
                elif self._deadline and time.monotonic() > self._deadline:
                    log.info("job %d did not stop in time; its process is ended", self._job.id)
                    self._process.kill()
                    return Ended(self._job.id, cancelled=True)
        except (EOFError, OSError):
            return self._died()

    def _tell(self) -> None:
        """Pass on what the person has decided meanwhile."""
        connection = self._process.connection
        if self._engine.parked != self._parked:
            self._parked = self._engine.parked
            connection.send(Park(self._parked))
        if self._deadline is None and self._job.cancel_requested.is_set():
            self._deadline = time.monotonic() + self._patience(KILL_AFTER)
            connection.send(CancelTask(self._job.id))

    def _patience(self, seconds: float) -> float:
        return min(seconds, CLOSE_WITHIN) if self._engine._closing else seconds

    def _died(self) -> Ended:
        if self._job.cancel_requested.is_set():
            return Ended(self._job.id, cancelled=True)
        reason = self._process.exit_reason()
        return Ended(
            self._job.id,
            ModelProcessDied(
                f"The model process stopped in the middle of its work: {reason}.",
                "This often means that the memory was not enough. Try again with a smaller size "
                "or model; nothing else was lost.",
            ),
        )
