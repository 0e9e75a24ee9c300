"""Ways for a text out of the page: to Create as a prompt, to the clipboard, to a file."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from engine import text_files
from engine.errors import FileError
from studio.actions import Command
from studio.dialogs.paths import ask_where_to_write_text
from studio.widgets.page import Page
from studio.widgets.writing_bar import WritingBar
from studio.writing import Writing


class TextSharing(QObject):
    """`draw_requested` carries a prompt, `said` what was done, `failed` a FileError."""

    draw_requested = Signal(str)
    said = Signal(str)
    failed = Signal(object)

    def __init__(self, page: Page, writing: Writing, bar: WritingBar, window: QWidget) -> None:
        super().__init__(window)
        self._page = page
        bar.draw.connect(self.draw)
        bar.copy.connect(self.copy)
        bar.export.connect(self.export)
        self.said.connect(bar.set_status)
        self._writing = writing
        self._window = window

    def actions_table(self) -> list[Command]:
        tr = self.tr
        return [
            Command("write_draw", tr("Draw this"), "Ctrl+D", "brush", self.draw),
            Command("write_copy", tr("Copy the text"), "Ctrl+Shift+C", "copy", self.copy),
            Command("write_export", tr("Export the text…"), "Ctrl+E", "save", self.export),
        ]

    def draw(self) -> None:
        """Hand the selection, else what was written last, else this paragraph, to Create."""
        text = (
            self._page.selected_text()
            or self._page.suggestion
            or self._writing.answer
            or self._page.textCursor().block().text()
        )
        if text.strip():
            self.draw_requested.emit(" ".join(text.split()))

    def copy(self) -> None:
        text = self._page.selected_text() or self._page.toPlainText()
        QGuiApplication.clipboard().setText(text)

    def export(self) -> None:
        """Ask where to, and write the text there."""
        path = ask_where_to_write_text(self._window)
        if path:
            self.export_to(path)

    def export_to(self, path: Path) -> None:
        try:
            text_files.write(path, self._page.toPlainText())
        except FileError as error:
            self.failed.emit(error)
        else:
            self.said.emit(self.tr("Exported to {}").format(path))
