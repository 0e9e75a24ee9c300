"""A prompt editor: grows with its text, remembers what was asked before (Alt+Up, Alt+Down)."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from studio.theme import SPACING

MOST_LINES = 6
MARGIN = 3  # pixels around the text, which make one line as high as a button
MOST_REMEMBERED = 100


class PromptEdit(QPlainTextEdit):
    """As high as its text, from one line to MOST_LINES."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTabChangesFocus(True)
        self.setAcceptDrops(False)  # an image dropped here is for the easel behind it
        self.document().setDocumentMargin(MARGIN)
        self.history: list[str] = []
        """Prompts asked before, oldest first."""
        self._place = 0
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        self._fit()

    def remember(self) -> None:
        """Keep the prompt as the newest of the history."""
        text = self.toPlainText()
        if text.strip():
            self.history = [*(old for old in self.history if old != text), text][-MOST_REMEMBERED:]
        self._place = len(self.history)

    def recall(self, delta: int) -> None:
        """Show an older (negative) or newer prompt; undo brings back what stood here."""
        place = self._place + delta
        if 0 <= place < len(self.history):
            self._place = place
            self.replace(self.history[place])

    def replace(self, text: str) -> None:
        """Show `text`, as one step of undo."""
        cursor = self.textCursor()
        cursor.select(cursor.SelectionType.Document)
        cursor.insertText(text)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        if event.modifiers() & Qt.KeyboardModifier.AltModifier and event.key() in steps:
            self.recall(steps[Qt.Key(event.key())])
            return
        super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()

    def minimumSizeHint(self) -> QSize:
        return QSize(20 * SPACING, self._height(1))

    def _fit(self) -> None:
        lines = round(self.document().size().height())  # a plain text document counts in lines
        self.setFixedHeight(self._height(min(max(lines, 1), MOST_LINES)))
        self.setVerticalScrollBarPolicy(
            Qt.ScrollBarPolicy.ScrollBarAlwaysOff
            if lines <= MOST_LINES
            else Qt.ScrollBarPolicy.ScrollBarAlwaysOn
        )

    def _height(self, lines: int) -> int:
        margins = self.contentsMargins()
        edge = margins.top() + margins.bottom() + 2 * round(self.document().documentMargin())
        return lines * self.fontMetrics().lineSpacing() + edge
