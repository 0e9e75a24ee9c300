"""The system's file dialogs, asked in the words of the studio."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QFileDialog, QWidget

from engine import folders
from engine.text_files import SUFFIXES


def ask_where_to_write_text(parent: QWidget) -> Path | None:
    """A path with an ending of a text, or None when the person changed their mind."""
    chosen, wanted = QFileDialog.getSaveFileName(
        parent,
        _tr("Export the text"),
        str(Path.home() / _tr("Text.txt")),
        _tr("Text (*.txt);;Markdown (*.md);;Word document (*.docx)"),
    )
    if not chosen:
        return None
    path = Path(chosen)
    suffix = next((known for known in SUFFIXES if f"*{known}" in wanted), SUFFIXES[0])
    return path if path.suffix.lower() in SUFFIXES else path.with_name(path.name + suffix)


def ask_for_language_model(parent: QWidget) -> str:
    """The path of a .gguf file or of a model folder; empty when none was chosen."""
    chosen, _ = QFileDialog.getOpenFileName(
        parent,
        _tr("Choose a language model"),
        str(folders.models()),
        _tr("Models (*.gguf config.json)"),
    )
    is_folder = Path(chosen).name == "config.json"
    return str(Path(chosen).parent) if is_folder else chosen


def _tr(text: str) -> str:
    return QCoreApplication.translate("Paths", text)
