"""A film from prompt to prompt, to be seen while it is made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QLabel, QStackedWidget, QWidget

from engine.events import Event, FilmFrame, Progress, Saved
from engine.registry import task_class
from engine.task import Task
from engine.worker import Engine, Job
from studio.dialogs.task_dialog import TaskDialog
from studio.images import from_pil
from studio.settings import Settings
from studio.theme import set_role
from studio.widgets.film_loop import FilmLoop

if TYPE_CHECKING:
    from engine.generators.morph import Morph


class MorphingDialog(TaskDialog):
    def __init__(self, engine: Engine, settings: Settings, parent: QWidget) -> None:
        self._film: Path | None = None
        super().__init__(engine, settings, task_class("morph"), self.tr("Make the film"), parent)
        self.loop = FilmLoop()
        empty = QLabel(
            self.tr(
                "Write two prompts or more, one on each line.\n"
                "The film plays here from its second frame on, and becomes smoother."
            )
        )
        empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        empty.setWordWrap(True)
        set_role(empty, "caption")
        self._stack = QStackedWidget()
        self._stack.addWidget(empty)
        self._stack.addWidget(self.loop)
        self.content.addWidget(self._stack)
        self._open = self.add_button("play", self.tr("Open"), self.tr("Open the film in a player"))
        self._open.clicked.connect(self._play)
        self._folder = self.add_button("folder", self.tr("Folder"), self.tr("Show its folder"))
        self._folder.clicked.connect(self._show_folder)
        self._enable()

    def begin(self, task: Task) -> None:
        asked = cast("Morph", task)
        changes = len(asked.asked()) - 1 + asked.back
        self.loop.begin(asked.seconds * changes)
        self.form.show_seed_used(asked.seed)
        self._film = None
        self._enable()

    def progress_text(self, event: Progress) -> str:
        """Which frame is drawn is said in words already; a part of it is shown as one."""
        return (
            f"{event.stage} ({100 * event.step // event.total} %)" if event.total else event.stage
        )

    def hear(self, event: Event) -> None:
        if isinstance(event, FilmFrame):
            self.loop.add(event.place, from_pil(event.image))
            self._stack.setCurrentWidget(self.loop)
        elif isinstance(event, Saved) and event.path.suffix != ".png":
            self._film = event.path  # also where it was stopped
            self._enable()

    def finish(self, job: Job) -> None:
        if self._film:
            self.status.setText(self.tr("Saved as {}").format(self._film.name))

    def _enable(self) -> None:
        for button in (self._open, self._folder):
            button.setEnabled(self._film is not None)

    def _play(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._film)))

    def _show_folder(self) -> None:
        if self._film:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._film.parent)))
