"""A remark that needs no answer, and perhaps a way to take back what it tells of."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from studio.theme import icon, set_role


class Remark(QWidget):
    """Hidden while there is nothing to say."""

    undo = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._said = QLabel()
        self._said.setTextFormat(Qt.TextFormat.PlainText)
        self._said.setWordWrap(True)
        set_role(self._said, "caption")
        self._undo_button = QPushButton(icon("undo-2", "muted"), self.tr("Undo"))
        self._undo_button.setToolTip(self.tr("Take back what has just been done"))
        set_role(self._undo_button, "quiet")
        self._undo_button.clicked.connect(self.undo)
        close = QToolButton()
        close.setIcon(icon("x", "muted"))
        close.setToolTip(self.tr("Hide this remark"))
        close.setAccessibleName(close.toolTip())
        set_role(close, "quiet")
        close.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._said, 1)
        row.addWidget(self._undo_button)
        row.addWidget(close)
        self.hide()

    @property
    def text(self) -> str:
        return self._said.text()

    def say(self, message: str, *, undo: bool = False) -> None:
        """An empty message takes the last one away."""
        self._said.setText(message)
        self._undo_button.setVisible(undo)
        self.setVisible(bool(message))
