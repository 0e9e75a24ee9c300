"""Opens the comparison of two models, of which there is one at a time."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from engine.worker import Engine
from studio.actions import Command
from studio.dialogs.comparing import ComparingDialog
from studio.settings import Settings

ICON = "square-split-horizontal"


class Comparing(QObject):
    def __init__(self, engine: Engine, settings: Settings, window: QWidget) -> None:
        super().__init__(window)
        self._engine, self._settings, self._window = engine, settings, window
        self.dialog: ComparingDialog | None = None

    def actions_table(self) -> list[Command]:
        told = self.tr("Compare two models…")
        return [Command("write_compare", told, "Ctrl+Shift+K", ICON, self.open)]

    def open(self) -> None:
        if self.dialog is None:
            self.dialog = ComparingDialog(self._engine, self._settings, self._window)
            self.dialog.closed.connect(self._forget)
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    def _forget(self) -> None:
        self.dialog = None
