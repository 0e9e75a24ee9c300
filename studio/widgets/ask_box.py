"""Where a person says what the model should write: a line that grows, and the two ways to start."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QPushButton, QWidget

from studio.theme import SPACING, icon, set_role

MOST_LINES = 6


class AskBox(QWidget):
    """`asked` on Write, `continued` on Continue; the keys for both are the workspace's."""

    asked = Signal()
    continued = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.prompt = _GrowingEdit()
        self.prompt.setPlaceholderText(self.tr("Ask the model to write …"))
        self.prompt.setToolTip(self.tr("What the model should write; Ctrl+Enter starts it"))
        self.prompt.setAccessibleName(self.tr("Prompt"))
        self.write_button = QPushButton(icon("sparkles", "on_accent"), self.tr("Write"))
        self.write_button.setToolTip(
            self.tr("The model writes what you asked for, under your paragraph (Ctrl+Enter)")
        )
        set_role(self.write_button, "primary")
        self.write_button.clicked.connect(self.asked)
        self.continue_button = QPushButton(self.tr("Continue"))
        self.continue_button.setToolTip(
            self.tr("The model goes on from the cursor (Ctrl+Shift+Enter)")
        )
        self.continue_button.clicked.connect(self.continued)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING)
        row.addWidget(self.prompt, 1)
        row.addWidget(self.continue_button, 0, Qt.AlignmentFlag.AlignBottom)
        row.addWidget(self.write_button, 0, Qt.AlignmentFlag.AlignBottom)
        self.setFocusProxy(self.prompt)

    def set_ready(self, ready: bool) -> None:
        """While a text is being written, no other can be started here."""
        self.write_button.setEnabled(ready)
        self.continue_button.setEnabled(ready)


class _GrowingEdit(QPlainTextEdit):
    """As high as its text, from one line to MOST_LINES."""

    def __init__(self) -> None:
        super().__init__()
        self.setTabChangesFocus(True)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        self._fit()

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
        frame = self.contentsMargins()
        around = frame.top() + frame.bottom() + 2 * self.document().documentMargin()
        return round(self.fontMetrics().lineSpacing() * lines + around)
