"""Opens the dialog for a film from prompt to prompt, of which there is one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from engine.worker import Engine
from studio.actions import Command
from studio.settings import Settings

if TYPE_CHECKING:
    from studio.dialogs.morphing import MorphingDialog


class Morphing(QObject):
    def __init__(
        self, engine: Engine, settings: Settings, prompt: QPlainTextEdit, window: QWidget
    ) -> None:
        super().__init__(window)
        self._engine, self._settings, self._window = engine, settings, window
        self._prompt = prompt
        self.dialog: MorphingDialog | None = None

    def actions_table(self) -> list[Command]:
        text = self.tr("Morph between prompts…")
        return [Command("create_morph", text, "Ctrl+Alt+M", "film", self.open)]

    def open(self) -> None:
        """The prompt as it stands is the first of a film that has none."""
        from studio.dialogs.morphing import MorphingDialog  # the window opens without it

        if self.dialog is None:
            self.dialog = MorphingDialog(self._engine, self._settings, self._window)
            self.dialog.closed.connect(self._forget)
            form = self.dialog.form
            if not form.values()["prompts"]:
                form.set_values({"prompts": self._prompt.toPlainText()})
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    def _forget(self) -> None:
        self.dialog = None
