"""Looks at the dataset that a new run would learn from; the engine reads it, the page shows it."""

from __future__ import annotations

import json
from typing import Any

from PySide6.QtCore import QObject, Signal

from engine import folders, registry
from engine.errors import EngineError, FileError
from engine.events import Event, Progress
from engine.worker import Engine, Job
from studio.background import Background
from studio.widgets.dataset_page import DatasetPage

TASK = "inspect_dataset"


class DatasetLook(QObject):
    """`opened` asks to have the page on the screen, `closed` to have what was there before."""

    opened = Signal()
    closed = Signal()

    def __init__(self, engine: Engine, parent: QObject) -> None:
        super().__init__(parent)
        self._engine = engine
        self._job: Job | None = None
        self._dataset = ""
        self._background = Background(self)
        self.page = DatasetPage()
        self.page.back_requested.connect(self._close)
        self.page.errors.retry.connect(lambda: self.look(self._dataset))

    def look(self, dataset: str) -> None:
        """Show the page at once, and what is found when all of it has been read."""
        self._give_up()
        self._dataset = dataset
        self.page.begin(dataset)
        self.opened.emit()
        try:
            task = registry.task_class(TASK).from_dict({"dataset": dataset})
        except EngineError as error:
            self.page.end()
            self.page.errors.show_error(error)
            return
        job = Job(task, folders.cache() / "datasets")
        job.reported.connect(lambda event: self._hear(job, event))
        job.changed.connect(lambda: self._changed(job))
        self._job = job
        self._engine.submit(job)

    def _give_up(self) -> None:
        if self._job:
            self._job.cancel()
            self._job = None

    def _close(self) -> None:
        self._give_up()
        self.closed.emit()

    def _hear(self, job: Job, event: Event) -> None:
        if job is self._job and isinstance(event, Progress):
            self.page.show_progress(event)

    def _changed(self, job: Job) -> None:
        if job is not self._job or not job.state.ended:
            return
        self._job = None
        self.page.end()
        if job.error:
            self.page.errors.show_error(job.error)
        elif job.saved:
            self._background.run(lambda: (job, _read(job)), self._show)

    def _show(self, result: tuple[Job, dict[str, Any] | FileError]) -> None:
        job, report = result
        if isinstance(report, FileError):
            self.page.errors.show_error(report)
        else:
            self.page.show_report(report, job.saved[1] if len(job.saved) > 1 else None)


def _read(job: Job) -> dict[str, Any] | FileError:
    path = job.saved[0]
    try:
        report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return FileError(f"{path} cannot be read: {error}.", "Look at the data again.")
    return report
