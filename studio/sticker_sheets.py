"""A sheet of stickers in Create: its form in a dock, what it is asked for, what goes wrong."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QUndoStack
from PySide6.QtWidgets import QDockWidget

from engine import folders
from engine.errors import InvalidTask
from engine.registry import task_class
from engine.task import Task
from studio.actions import Command
from studio.drawing import Drawing
from studio.settings import Settings
from studio.widgets.easel import Easel
from studio.widgets.sheet_desk import SheetDesk

TASK = "sticker_sheet"
REQUEST = "create/sheet"


class StickerSheets(QObject):
    """The form is built when it is first looked at, so that the workspace opens at once."""

    def __init__(
        self,
        easel: Easel,
        drawing: Drawing,
        settings: Settings,
        undo_stack: QUndoStack,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._easel = easel
        self._drawing = drawing
        self._settings = settings
        self._undo_stack = undo_stack
        self._desk: SheetDesk | None = None
        self.dock = QDockWidget(self.tr("Sticker sheet"))
        self.dock.setObjectName("create_sheet")
        self.dock.hide()
        self.dock.visibilityChanged.connect(self._be_ready)

    def actions_table(self) -> list[Command]:
        text = self.tr("Sticker sheet…")
        return [Command("create_sheet", text, "Ctrl+Shift+T", "layout-grid", self.ask)]

    def ask(self) -> None:
        """Open the form; the prompt as it stands is the first on it."""
        form = self.desk().form
        if not form.values()["prompts"]:
            form.set_values({"prompts": self._easel.prompt.toPlainText()})
        self.dock.show()
        self.dock.raise_()
        self.desk().setFocus()

    def desk(self) -> SheetDesk:
        if self._desk is None:
            self._desk = SheetDesk(task_class(TASK), self._undo_stack)
            form = self._desk.form
            usable, _ = form.check(self._settings.value(REQUEST, {}))
            form.show_values(usable)
            form.changed.connect(self._keep)
            self._desk.draw_requested.connect(self._draw)
            self.dock.setWidget(self._desk)
        return self._desk

    def show_error(self, error: InvalidTask) -> None:
        """Under the field it is about."""
        self.desk().form.show_error(error.field, error.message)

    def _be_ready(self, shown: bool) -> None:
        if shown:
            self.desk()

    def _draw(self, task: Task) -> None:
        self._easel.errors.hide()
        self._easel.say("")
        self._drawing.start(task, folders.outputs())

    def _keep(self) -> None:
        self._settings.set_value(REQUEST, self.desk().form.values())
