"""Something made of the run that is shown: its bar asks, the engine makes it, the bar tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QLocale, QObject, QUrl
from PySide6.QtGui import QDesktopServices

from engine import folders, registry
from engine.errors import EngineError
from engine.events import Event, Notice, Progress
from engine.worker import Engine, Job
from studio.widgets.run_task_bar import RunTaskBar, Words


def in_its_folder(run: Path) -> dict[str, Any]:
    """The field by which most tasks are told the run."""
    return {"run_folder": str(run)}


class RunTask(QObject):
    """One task at a time, of one kind."""

    def __init__(
        self,
        engine: Engine,
        task: str,
        shown: Sequence[str],
        words: Words,
        parent: QObject,
        *,
        named: Callable[[Path], dict[str, Any]] = in_its_folder,
        opens_folder: bool = True,
    ) -> None:
        """`shown` are the fields that are asked for, `named` gives those that tell the run."""
        super().__init__(parent)
        self._engine = engine
        self._task = registry.task_class(task)
        self._named = named
        self._opens_folder = opens_folder
        self._run: Path | None = None
        self._job: Job | None = None
        self._notices: list[str] = []
        self.bar = RunTaskBar(self._task, shown, words)
        self.bar.requested.connect(self._make)
        self.bar.cancel_requested.connect(self._cancel)

    def set_run(self, run: Path) -> None:
        """Another run is on the page: what is being made of the one before is finished."""
        if run != self._run:
            self._run = run
            self._job = None
            self.bar.set_busy(False)
            self.bar.hide()

    def _make(self, fields: Mapping[str, Any]) -> None:
        if self._run is None:
            return
        try:
            task = self._task.from_dict({**self._named(self._run), **fields})
        except EngineError as error:
            self.bar.show_error(error)
            return
        job = Job(task, folders.outputs())
        job.reported.connect(lambda event: self._hear(job, event))
        job.changed.connect(lambda: self._changed(job))
        self._job, self._notices = job, []
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
            self._notices.append(event.message)

    def _changed(self, job: Job) -> None:
        if job is not self._job or not job.state.ended:
            return
        self._job = None
        self.bar.set_busy(False)
        if job.error:
            self.bar.show_error(job.error)
        elif job.saved:
            self._tell(job.saved[-1])

    def _tell(self, saved: Path) -> None:
        """The whole of it is what is saved last."""
        size = QLocale.c().formattedDataSize(
            saved.stat().st_size, 1, QLocale.DataSizeFormat.DataSizeSIFormat
        )
        words = self.tr("Saved {name}, {size}.").format(name=saved.name, size=size)
        self.bar.say("\n".join([*self._notices, words]))
        if self._opens_folder:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(saved.parent)))
