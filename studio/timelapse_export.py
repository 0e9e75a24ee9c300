"""Exports the run that is shown as a film: the bar asks, the engine makes it, its folder opens."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices

from engine import folders, registry
from engine.errors import EngineError
from engine.task import Event, Notice, Progress
from engine.worker import Engine, Job
from studio.widgets.timelapse_bar import TimelapseBar

TASK = "export_timelapse"


class TimelapseExport(QObject):
    """One film at a time."""

    def __init__(self, engine: Engine, parent: QObject) -> None:
        super().__init__(parent)
        self._engine = engine
        self._run: Path | None = None
        self._job: Job | None = None
        self._notice = ""
        self.bar = TimelapseBar(registry.task_class(TASK))
        self.bar.export_requested.connect(self._export)
        self.bar.cancel_requested.connect(self._cancel)

    def set_run(self, run: Path) -> None:
        """Another run is on the page: a film that is being made of the one before is finished."""
        if run != self._run:
            self._run = run
            self._job = None
            self.bar.set_busy(False)
            self.bar.hide()

    def _export(self, fields: Mapping[str, Any]) -> None:
        try:
            task = registry.task_class(TASK).from_dict({"run_folder": str(self._run), **fields})
        except EngineError as error:
            self.bar.show_error(error)
            return
        job = Job(task, folders.outputs())
        job.reported.connect(lambda event: self._hear(job, event))
        job.changed.connect(lambda: self._changed(job))
        self._job, self._notice = job, ""
        self.bar.set_busy(True)
        self._engine.submit(job)

    def _cancel(self) -> None:
        if self._job:
            self._job.cancel()
            self._job = None
            self.bar.set_busy(False)

    def _hear(self, job: Job, event: Event) -> None:
        if job is not self._job:
            return
        if isinstance(event, Progress):
            self.bar.show_progress(event)
        elif isinstance(event, Notice):
            self._notice = event.message

    def _changed(self, job: Job) -> None:
        if job is not self._job or not job.state.ended:
            return
        self._job = None
        self.bar.set_busy(False)
        if job.error:
            self.bar.show_error(job.error)
        elif job.saved:
            self.bar.show_saved(job.saved[0], self._notice)
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(job.saved[0].parent)))
