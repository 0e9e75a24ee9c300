"""The text as its Markdown reads: headings, lists, emphasis, pictures. It is not edited here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QImage, QImageReader, QTextDocument
from PySide6.QtWidgets import QWidget

from studio.widgets.column_edit import MARGIN, ColumnEdit
from studio.widgets.markdown_view import DIALECT


class ReadingPage(ColumnEdit):
    """Shows pictures of this machine, as wide as the column at most; loads nothing else."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setReadOnly(True)

    def show_markdown(self, text: str) -> None:
        self.document().clear()
        self.document().setMarkdown(text, DIALECT)

    def loadResource(self, type: int, name: QUrl | str) -> Any:
        url = QUrl(name)
        if type == QTextDocument.ResourceType.ImageResource.value and url.isLocalFile():
            return _picture(Path(url.toLocalFile()), self.lineWrapColumnOrWidth() - 2 * MARGIN)
        return None


def _picture(path: Path, width: int) -> QImage | None:
    reader = QImageReader(str(path))
    reader.setAutoTransform(True)
    size = reader.size()
    if size.isValid() and size.width() > width > 0:
        reader.setScaledSize(size.scaled(width, size.height(), Qt.AspectRatioMode.KeepAspectRatio))
    image = reader.read()
    return None if image.isNull() else image
