"""Fetching a starter pack from where it is missed: the job behind a PackNotice."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from engine import folders, packs
from engine.errors import EngineError
from engine.events import Event, Progress
from engine.packs import Pack
from engine.registry import task_class
from engine.worker import Engine, Job
from studio.dialogs.paths import ask_for_language_model
from studio.widgets.pack_notice import PackNotice


class PackFetch(QObject):
    """Shows `notice` while the pack is missing and runs the download when asked to."""

    fetched = Signal()
    chosen = Signal(str)  # the path of another model
    failed = Signal(object)  # an EngineError

    def __init__(
        self, engine: Engine, pack: Pack, notice: PackNotice, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._pack = pack
        self._notice = notice
        self._job: Job | None = None
        notice.fetch.connect(self.start)
        notice.cancel.connect(self.cancel)
        notice.choose.connect(self._choose)

    def missed_by(self, model: str) -> bool:
        """Whether `model` is the pack, and not there yet; shows the notice accordingly."""
        missed = model == self._pack.name and not packs.installed(self._pack)
        self._notice.setVisible(missed)
        return missed

    def start(self) -> None:
        if self._job:
            return
        task = task_class("fetch_pack").from_dict({"pack": self._pack.name})
        self._job = Job(task, folders.models())
        self._job.reported.connect(self._take)
        self._job.finished.connect(self._finish)
        self._job.cancelled.connect(self._stop)
        self._job.failed.connect(self._fail)
        self._notice.show_progress(Progress(0, None, self.tr("starting the download")))
        self._engine.submit(self._job)

    def cancel(self) -> None:
        if self._job:
            self._job.cancel()

    def _choose(self) -> None:
        if model := ask_for_language_model(self._notice):
            self.chosen.emit(model)

    def _take(self, event: Event) -> None:
        if isinstance(event, Progress):
            self._notice.show_progress(event)

    def _finish(self) -> None:
        self._stop()
        self.fetched.emit()

    def _stop(self) -> None:
        self._job = None
        self._notice.show_offer()

    def _fail(self, error: EngineError) -> None:
        self._stop()
        self.failed.emit(error)
