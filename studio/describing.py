"""Opens the dialog that puts a picture into words, and passes its words on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from engine.worker import Engine
from studio.settings import Settings


class Describing(QObject):
    prompt_wanted = Signal(str)
    text_wanted = Signal(str)

    def __init__(self, engine: Engine, settings: Settings, window: QWidget) -> None:
        super().__init__(window)
        self._engine, self._settings, self._window = engine, settings, window

    def describe(self, picture: Path, note: Callable[[str], object] | None = None) -> None:
        """`note` keeps the words as the notes of the picture."""
        from studio.dialogs.describing import DescribingDialog  # the window opens without it

        dialog = DescribingDialog(
            self._engine, self._settings, picture, self._window, note is not None
        )
        dialog.prompt_wanted.connect(self.prompt_wanted)
        dialog.text_wanted.connect(self.text_wanted)
        if note is not None:
            dialog.notes_wanted.connect(note)
            dialog.notes_wanted.connect(lambda: dialog.status.setText(self.tr("Noted")))
        dialog.show()
