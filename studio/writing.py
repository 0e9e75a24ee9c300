"""One text being written: its job on the engine, its way into the page, its speed."""

from __future__ import annotations

import time
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from engine.errors import EngineError
from engine.events import Event, Mended, Notice, Progress, Token
from engine.task import Task
from engine.worker import Engine, Job, JobState
from studio.widgets.page import Page


class Writing(QObject):
    """Runs one task at a time and lets its tokens grow in `page`."""

    started = Signal(object)  # the Task
    changed = Signal()
    failed = Signal(object)  # an EngineError

    def __init__(self, engine: Engine, page: Page, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.task: Task | None = None
        """What was asked last."""
        self.answer = ""
        """What the model wrote last."""
        self._engine = engine
        self._page = page
        self._job: Job | None = None
        self._pace = _Pace()
        self._notice = ""
        page.suggestion_ended.connect(self._after_suggestion)

    @property
    def running(self) -> bool:
        return self._job is not None

    def start(self, task: Task, out: Path) -> None:
        """Run `task`; the page has begun a suggestion for it."""
        self.task, self.answer, self._notice, self._pace = task, "", "", _Pace()
        job = Job(task, out)
        job.started.connect(self.changed)
        job.reported.connect(self._take)
        job.finished.connect(self._end)
        job.cancelled.connect(self._end)
        job.failed.connect(self._fail)
        self._job = job
        self.started.emit(task)
        self._engine.submit(job)
        self.changed.emit()

    def stop(self) -> None:
        """What is there stays."""
        if self._job:
            self._job.cancel()
            self._end()

    def status(self) -> str:
        """What the model does now, in a few words."""
        if self._job is None:
            return self._speed() + self._notice
        progress = self._job.progress
        if self.answer:
            return self.tr("Writing") + self._speed()
        if progress and progress.stage:
            return progress.stage[0].upper() + progress.stage[1:] + " …"
        waits = self._job.state is JobState.QUEUED
        return self.tr("Waiting for its turn …") if waits else self.tr("Starting …")

    def _speed(self) -> str:
        rate = self._pace.tokens_per_second
        return self.tr(" · {:.0f} tokens/s").format(rate) if rate else ""

    def _take(self, event: Event) -> None:
        if isinstance(event, Token):
            self.answer += event.text
            self._page.append(event.text)
        elif isinstance(event, Mended):
            self.answer = event.text
            self._page.mend(event.text)
        elif isinstance(event, Progress) and self.answer:
            self._pace.note(event.step)
        elif isinstance(event, Notice):
            self._notice = f" · {event.message}"
        self.changed.emit()

    def _end(self) -> None:
        self._let_go()
        self._page.finish_suggestion()
        self.changed.emit()

    def _fail(self, error: EngineError) -> None:
        self._end()
        self.failed.emit(error)

    def _after_suggestion(self, kept: bool) -> None:
        """Whoever discards what is being written, or asks for something else, wants no more."""
        if self._job:
            self._job.cancel()
            self._let_go()
        if not kept:
            self.answer = ""
        self.changed.emit()

    def _let_go(self) -> None:
        job, self._job = self._job, None
        if job:
            job.started.disconnect(self.changed)
            job.reported.disconnect(self._take)
            job.finished.disconnect(self._end)
            job.cancelled.disconnect(self._end)
            job.failed.disconnect(self._fail)


class _Pace:
    """Tokens in a second since the first one."""

    def __init__(self) -> None:
        self._first: tuple[float, int] | None = None
        self.tokens_per_second = 0.0

    def note(self, tokens: int) -> None:
        now = time.monotonic()
        if self._first is None:
            self._first = (now, tokens)
        began, first = self._first
        if now - began > 0.2:
            self.tokens_per_second = (tokens - first) / (now - began)
