"""Opens the dialog that takes a model in; says which dropped files are models."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from engine.worker import Engine
from studio.settings import Settings

SUFFIXES = (".gguf", ".safetensors", ".ckpt", ".pt", ".pth")
DESCRIPTIONS = ("model_index.json", "config.json")


class Adding(QObject):
    use_requested = Signal(str, object)  # the workspace, and what its form is to show

    def __init__(self, engine: Engine, settings: Settings, window: QWidget) -> None:
        super().__init__(window)
        self._engine, self._settings, self._window = engine, settings, window

    def add(self, path: Path | None = None) -> None:
        """Ask for a model, or begin with this one at once."""
        from studio.dialogs.adding import AddingDialog  # the window opens without it

        dialog = AddingDialog(self._engine, self._settings, path or Path(), self._window)
        dialog.use_requested.connect(self.use_requested)
        dialog.show()
        if path is not None:
            dialog.start()


def is_model(path: Path) -> bool:
    """Whether it is meant as one; what it is the engine finds inside it."""
    if path.is_dir():
        return any((path / name).is_file() for name in DESCRIPTIONS)
    return path.suffix.lower() in SUFFIXES
