"""The page of Write as it reads, in the place of the page; and pictures for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, QUrl
from PySide6.QtWidgets import QFileDialog

from engine import folders
from engine.text_files import PICTURES
from studio.actions import Command
from studio.widgets.desk import Desk


class Reading(QObject):
    """Turns the page over, and puts pictures into it as Markdown has them."""

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(parent)
        self._desk = desk
        desk.bar.read.connect(self.turn)
        desk.page.document().contentsChanged.connect(self._show)

    def actions_table(self) -> list[Command]:
        tr = self.tr
        return [
            Command(
                "write_read",
                tr("Show it as it reads, or as it is written"),
                "Ctrl+M",
                "eye",
                self.turn,
            ),
            Command(
                "write_picture",
                tr("Put a picture into the text…"),
                "",
                "image-plus",
                self.choose_pictures,
            ),
        ]

    def turn(self) -> None:
        """Show the text as it reads, or go back to writing it."""
        self._desk.show_reading(not self._desk.reading.isVisible())
        self._show()

    def choose_pictures(self) -> None:
        patterns = " ".join(f"*{suffix}" for suffix in PICTURES)
        chosen, _ = QFileDialog.getOpenFileNames(
            self._desk,
            self.tr("Put a picture into the text"),
            str(folders.outputs()),
            self.tr("Pictures ({})").format(patterns),
        )
        self.put([Path(each) for each in chosen])

    def put(self, paths: Sequence[Path]) -> None:
        """Pictures, each in a paragraph of its own, after that of the cursor."""
        if paths:
            self.put_words("\n\n".join(markdown(path) for path in paths))

    def put_words(self, text: str) -> None:
        """A paragraph of its own, after that of the cursor."""
        page = self._desk.page
        page.keep()
        cursor = page.textCursor()
        cursor.movePosition(cursor.MoveOperation.EndOfBlock)
        page.setTextCursor(cursor)
        lead = "\n\n" if cursor.block().text().strip() else ""
        told = QMimeData()
        told.setText(f"{lead}{text}\n")
        page.insertFromMimeData(told)  # as the person's own edit, one step of undo

    def _show(self) -> None:
        if self._desk.reading.isVisible():
            self._desk.reading.show_markdown(self._desk.page.toPlainText())


def markdown(path: Path) -> str:
    """A picture as Markdown names it; blanks and brackets of the path are written as % codes."""
    url = QUrl.fromLocalFile(str(path)).toString(QUrl.ComponentFormattingOption.FullyEncoded)
    return f"![{path.stem}]({url.replace('(', '%28').replace(')', '%29')})"
