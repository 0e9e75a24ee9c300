"""Gets models of the Hugging Face Hub: recommended ones and any by name, on a click and not before.

Closed, it lets a download go on; the list of jobs shows it.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from engine import folders
from engine.errors import EngineError
from engine.events import Event, HubFound, HubModel, ModelFacts, Progress
from engine.hub import page_of
from engine.recommended import Recommended, of_found, recommended
from engine.registry import task_class
from engine.task import Task
from engine.worker import Engine, Job
from studio.latest_wish import LatestWish
from studio.theme import SPACING
from studio.widgets.error_box import ErrorBox
from studio.widgets.hub_list import HubList
from studio.widgets.hub_page import HubPage
from studio.widgets.model_page import USED_IN, usage


class GetModelsDialog(QDialog):
    """`asks` answers questions to the Hub, `fetches` downloads, so that nobody waits for it."""

    use_requested = Signal(str, object)  # the workspace, and what its form is to show

    def __init__(self, asks: Engine, fetches: Engine, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Get models"))
        self._fetches = fetches
        self._job: Job | None = None
        self._facts: ModelFacts | None = None
        self._found: list[Recommended] = []
        self._words = ""
        self.list, self.page, self.errors = HubList(recommended()), HubPage(), ErrorBox()
        self._searching, self._asking = LatestWish(asks, self), LatestWish(asks, self)
        self._lay_out()
        self._connect()
        self._show(self.page.model if self.page.model.repository else recommended()[0])
        self.list.search.setFocus()

    # ------------------------------------------------------------------ what is asked of the Hub

    def search(self, words: str) -> None:
        self._words, self._found = words, []
        self.errors.hide()
        self.list.say(self.tr("Asking the Hub for “{}” …").format(words))
        self._searching.want(lambda: task_class("search_hub").from_dict({"words": words}))

    def ask(self) -> None:
        self._ask(discard=False)

    def discard(self) -> None:
        self._ask(discard=True)

    def get(self) -> None:
        """Fetch the model on the page; where it was stopped, go on."""
        if self._running() is not None:
            return
        self.errors.hide()
        job = Job(self._task("fetch_model"), folders.models())
        self._follow(job)
        self.page.show_progress(Progress(0, None, self.tr("waiting for its turn"), "bytes"))
        self._fetches.submit(job)

    def pause(self) -> None:
        if self._job:
            self._job.cancel()

    def use(self) -> None:
        if self._facts and self._facts.kind in USED_IN:
            self.use_requested.emit(*usage(self._facts))
            self.close()

    # ------------------------------------------------------------------

    def _task(self, name: str, **more: object) -> Task:
        chosen = {"repository": self.page.model.repository, "file": self.page.file}
        return task_class(name).from_dict(chosen | more)

    def _ask(self, discard: bool) -> None:
        self.errors.hide()
        self.page.show_progress(Progress(0, None, self.tr("asking the Hub")))
        task = self._task("inspect_hub_model", discard=discard)
        self._asking.want(lambda: task)

    def _show(self, model: Recommended) -> None:
        """Another model; one that is being fetched is followed."""
        self._asking.forget()
        self._unfollow()
        self.errors.hide()
        self._facts = None
        self.page.show_model(model)
        if job := self._running():
            self._follow(job)
            self.page.show_progress(job.progress or Progress(0, None, self.tr("waiting"), "bytes"))

    def _running(self) -> Job | None:
        """The job that fetches the model on the page."""
        wanted = self.page.model.repository
        for job in self._fetches.jobs:
            named = job.task.to_dict().get("repository")
            if named == wanted and not job.state.ended:
                return job
        return None

    def _follow(self, job: Job) -> None:
        self._unfollow()
        self._job = job
        job.reported.connect(self._hear)
        job.changed.connect(self._changed)

    def _unfollow(self) -> None:
        job, self._job = self._job, None
        if job:
            job.reported.disconnect(self._hear)
            job.changed.disconnect(self._changed)

    def _hear(self, event: Event) -> None:
        if isinstance(event, Progress):
            shown = event if event.unit else Progress(event.step, event.total, event.stage, "bytes")
            self.page.show_progress(shown)
        elif isinstance(event, ModelFacts):
            self._facts = event

    def _changed(self) -> None:
        job = self._job
        if job is None or not job.state.ended:
            return
        self._unfollow()
        if self._facts and job.error is None and job.saved:
            self.page.show_done(self._facts)
        else:
            self.ask()  # how much of it is here
        if isinstance(job.error, EngineError):
            self.page.show_rest()
            self._asking.forget()
            self.errors.show_error(job.error)

    def _hear_answer(self, event: Event) -> None:
        if isinstance(event, HubModel):
            self.page.show_found(event)
        elif isinstance(event, HubFound):
            self._found.append(of_found(event))

    def _answered(self, job: Job) -> None:
        self.page.show_rest()
        if isinstance(job.error, EngineError):
            self.errors.show_error(job.error, can_retry=False)

    def _searched(self, job: Job) -> None:
        if isinstance(job.error, EngineError):
            self.list.show_recommended()
            self.errors.show_error(job.error, can_retry=False)
        else:
            self.list.show_found(self._words, self._found)

    def _open_page(self) -> None:
        QDesktopServices.openUrl(QUrl(page_of(self.page.model.repository)))

    def done(self, result: int) -> None:
        self._unfollow()
        self._asking.forget()
        self._searching.forget()
        super().done(result)

    def _connect(self) -> None:
        self.list.searched.connect(self.search)
        self.list.chosen.connect(self._show)
        for wish in (self._searching, self._asking):
            wish.reported.connect(self._hear_answer)
        self._searching.ended.connect(self._searched)
        self._asking.ended.connect(self._answered)
        self.page.asked.connect(self.ask)
        self.page.wanted.connect(self.get)
        self.page.paused.connect(self.pause)
        self.page.discarded.connect(self.discard)
        self.page.used.connect(self.use)
        self.page.page_wanted.connect(self._open_page)
        self.errors.retry.connect(self.get)

    def _lay_out(self) -> None:
        scroll = QScrollArea(widgetResizable=True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(self.page)
        row = QHBoxLayout()
        row.setSpacing(2 * SPACING)
        row.addWidget(self.list, 2)
        row.addWidget(scroll, 3)
        column = QVBoxLayout(self)
        column.setContentsMargins(*(2 * SPACING,) * 4)
        column.setSpacing(2 * SPACING)
        column.addLayout(row, 1)
        column.addWidget(self.errors)
        self.resize(124 * SPACING, 72 * SPACING)
