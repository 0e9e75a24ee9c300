"""Plain text in a calm column, in the middle of however much room there is."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QMargins, Qt, Signal
from PySide6.QtGui import QResizeEvent, QTextBlockFormat, QTextCursor
from PySide6.QtWidgets import QApplication, QTextEdit, QWidget

from studio.theme import SPACING, set_role

LINE_HEIGHT = 160.0  # percent
COLUMN = 58  # average characters, some 70 of a text: what the eye takes in with ease
MARGIN = 4 * SPACING


class ColumnEdit(QTextEdit):
    """A text editor whose lines never get longer than a person reads with ease."""

    column_changed = Signal(int)  # pixels

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "page")
        self.setAcceptRichText(False)
        self.setTabChangesFocus(True)
        self.setCursorWidth(2)
        self.setLineWrapMode(QTextEdit.LineWrapMode.FixedPixelWidth)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.document().setDocumentMargin(MARGIN)
        self.set_text("")

    def set_text(self, text: str) -> None:
        """Start from this text; there is nothing to undo."""
        self.setUndoRedoEnabled(False)
        self.setPlainText(text)
        airy = QTextBlockFormat()
        airy.setLineHeight(LINE_HEIGHT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        cursor = QTextCursor(self.document())
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.mergeBlockFormat(airy)
        self.setUndoRedoEnabled(True)
        self.moveCursor(QTextCursor.MoveOperation.End)

    def text_before_cursor(self) -> str:
        cursor = self.textCursor()
        end = cursor.selectionEnd()
        cursor.setPosition(0)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        return cursor.selection().toPlainText()

    def selected_text(self) -> str:
        return self.textCursor().selection().toPlainText()

    def sees(self, position: int) -> bool:
        """Whether the line of `position` is not below the visible part."""
        return self._bottom(position) <= self.viewport().height() + MARGIN

    def scroll_down_to(self, position: int) -> None:
        hidden = self._bottom(position) + MARGIN - self.viewport().height()
        if hidden > 0:
            bar = self.verticalScrollBar()
            bar.setValue(bar.value() + hidden)

    def _bottom(self, position: int) -> int:
        cursor = QTextCursor(self.document())
        cursor.setPosition(position)
        return self.cursorRect(cursor).bottom()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Wheel:  # beside the column
            return QApplication.sendEvent(self.verticalScrollBar(), event)
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        saw_cursor = self.cursorRect().bottom() <= event.oldSize().height()
        super().resizeEvent(event)
        self._center()
        if saw_cursor:
            self.ensureCursorVisible()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._center()

    def _center(self) -> None:
        bar = self.verticalScrollBar()
        column = self.fontMetrics().averageCharWidth() * COLUMN + 2 * MARGIN
        column = min(column, self.width() - bar.sizeHint().width())
        left = (self.width() - column) // 2
        right = self.width() - left - column - (bar.width() if bar.isVisible() else 0)
        if self.viewportMargins() != QMargins(left, 0, right, 0):
            self.setViewportMargins(left, 0, right, 0)
        self.setLineWrapColumnOrWidth(column)
        self.column_changed.emit(column)
