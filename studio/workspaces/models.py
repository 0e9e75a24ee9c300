"""Models: what is here, what each is and needs, or why it cannot be used."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QCloseEvent, QDesktopServices, QShowEvent
from PySide6.QtWidgets import QMainWindow, QPushButton, QVBoxLayout, QWidget

from engine import folders
from engine.errors import FileError
from engine.events import Event, ModelListed
from engine.registry import task_class
from engine.worker import Engine, Job
from studio import trash
from studio.actions import Command, add_actions
from studio.latest_wish import LatestWish
from studio.picture_count import PictureCount, query_for
from studio.settings import Settings
from studio.shelf_index import ShelfEntry
from studio.theme import icon
from studio.trash import Trashed
from studio.widgets.error_box import ErrorBox
from studio.widgets.model_page import USED_IN, ModelPage, usage
from studio.widgets.remark import Remark
from studio.widgets.shelf_list import ShelfList
from studio.widgets.side_dock import LEFT, add_dock


class ModelsWorkspace(QMainWindow):
    """Looked at anew whenever it comes into sight, and when a job has ended."""

    use_requested = Signal(str, object)  # the workspace, and what its form is to show
    add_requested = Signal()
    get_requested = Signal()
    pictures_requested = Signal(str)  # what finds them in the gallery

    def __init__(self, engine: Engine, settings: Settings) -> None:
        super().__init__()
        self._models: list[ModelListed] = []
        self._found: list[ModelListed] = []
        self._open: Path | None = None
        self._trashed: Trashed | None = None
        self._list = ShelfList(
            title=self.tr("models"),
            new=self.tr("Add a model…"),
            delete=self.tr("Move this model to the trash"),
            untitled="",
        )
        self._get = QPushButton(icon("download", "muted"), self.tr("Get models…"))
        self._get.setToolTip(self.tr("Recommended ones, and any of the Hugging Face Hub (Ctrl+G)"))
        self._list.add_below(self._get)
        self._page, self._errors, self._remark = ModelPage(), ErrorBox(), Remark()
        self._counting = PictureCount(self)
        self._engine, self._ended_jobs = engine, 0
        self._wish = LatestWish(engine, self)
        self._wish.reported.connect(self._hear)
        self._wish.ended.connect(self._ended)
        centre = QWidget()
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._page, 1)
        column.addWidget(self._errors)
        column.addWidget(self._remark)
        self.setCentralWidget(centre)
        self.setFocusProxy(self._list.search)
        add_dock(self, "models_list", self.tr("Models"), self._list, LEFT)
        add_actions(self, self.actions_table())
        self._connect()
        self._page.hide()

    def actions_table(self) -> list[Command]:
        tr = self.tr
        return [
            Command("models_add", tr("Add a model…"), "Ctrl+N", "plus", self.add_requested.emit),
            Command("models_get", tr("Get models…"), "Ctrl+G", "download", self.get_requested.emit),
            Command("models_use", tr("Use the model"), "Ctrl+Return", "check", self.use),
            Command(
                "models_find", tr("Find models"), "Ctrl+F", "search", self._list.search.setFocus
            ),
            Command("models_folder", tr("Show in folder"), "", "folder-open", self.show_in_folder),
            Command("models_remove", tr("Move to the trash"), "Del", "trash-2", self.remove),
            Command("models_refresh", tr("Look again"), "F5", "refresh-cw", self.refresh),
        ]

    def refresh(self) -> None:
        """Look at all of them, off this thread."""
        self._found = []
        self._wish.want(lambda: task_class("list_models").from_dict({}))

    def look_again(self) -> None:
        """A model may have come from elsewhere."""
        if self.isVisible():
            self.refresh()

    def use(self) -> None:
        model = self._chosen()
        if model and model.facts and model.facts.kind in USED_IN:
            self.use_requested.emit(*usage(model.facts))

    def show_pictures(self) -> None:
        """In the gallery, those that the model made."""
        if (model := self._chosen()) and model.facts:
            self.pictures_requested.emit(query_for(model.facts.name))

    def show_in_folder(self) -> None:
        if model := self._chosen():
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(model.path.parent)))

    def remove(self) -> None:
        """Move the model on the page to the trash."""
        model = self._chosen()
        if model is None or not _is_mine(model.path):
            return
        try:
            self._trashed = trash.delete(model.path)
        except FileError as error:
            self._errors.show_error(error, can_retry=False)
            return
        said = self.tr("{} is in the trash now.").format(model.path.name)
        self._remark.say(said, undo=self._trashed.place is not None)
        self._models.remove(model)
        self._open = None
        self._show()
        self.refresh()

    def bring_back(self) -> None:
        if self._trashed is not None:
            try:
                self._open = trash.restore(self._trashed)
            except FileError as error:
                self._errors.show_error(error, can_retry=False)
                return
            self._trashed = None
            self._remark.say("")
            self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    # ------------------------------------------------------------------

    def _connect(self) -> None:
        self._list.chosen.connect(self._choose)
        self._list.deleted.connect(self._remove_from_list)
        self._list.begun.connect(self.add_requested)
        self._get.clicked.connect(self.get_requested)
        self._page.used.connect(self.use)
        self._page.pictures_wanted.connect(self.show_pictures)
        self._page.shown.connect(self.show_in_folder)
        self._page.removed.connect(self.remove)
        self._remark.undo.connect(self.bring_back)
        self._engine.jobs_changed.connect(self._follow_jobs)

    def _follow_jobs(self) -> None:
        """One that has ended may have brought a model."""
        ended = sum(job.state.ended for job in self._engine.jobs)
        if ended > self._ended_jobs:
            self.look_again()
        self._ended_jobs = ended

    def _hear(self, event: Event) -> None:
        if isinstance(event, ModelListed):
            self._found.append(event)

    def _ended(self, job: Job) -> None:
        if job.error is not None:
            self._errors.show_error(job.error, can_retry=False)
            return
        self._models = self._found
        self._show()

    def _choose(self, path: Path) -> None:
        self._open = path
        self._show()

    def _remove_from_list(self, path: Path) -> None:
        self._choose(path)
        self.remove()

    def _chosen(self) -> ModelListed | None:
        return next((each for each in self._models if each.path == self._open), None)

    def _show(self) -> None:
        if self._chosen() is None:
            self._open = self._models[0].path if self._models else None
        self._list.show_entries([_entry(each) for each in self._models], self._open)
        model = self._chosen()
        self._page.setVisible(model is not None)
        if model is not None:
            self._page.show_model(model, _is_mine(model.path))
            if model.facts and model.facts.kind == "image model":
                self._counting.count(model.facts.name, lambda n: self._show_count(model, n))

    def _show_count(self, model: ModelListed, pictures: int) -> None:
        if self._chosen() is model:
            self._page.show_count(pictures)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._wish.forget()
        self._counting.close()
        super().closeEvent(event)


def _is_mine(path: Path) -> bool:
    return path.is_relative_to(folders.models())


def _entry(model: ModelListed) -> ShelfEntry:
    facts = model.facts
    if facts is None:
        return ShelfEntry(model.path, f"⚠ {model.path.name}", model.path.name, 0.0)
    words = f"{facts.name} {facts.kind} {facts.family} {facts.licence}"
    return ShelfEntry(model.path, f"{facts.name} · {facts.kind}", words, 0.0)
