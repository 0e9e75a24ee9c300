"""An error shown where the action was: what happened, what to do next, and a way to try again."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from engine.errors import EngineError, InvalidTask, UnexpectedError
from studio.theme import SPACING, colors, icon, icon_pixmap, set_role


class ErrorBox(QFrame):
    """Hidden until there is an error. `retry` fires when the person wants to try again."""

    retry = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "error")
        self._error = EngineError("")
        self._sign = QLabel()
        self._message = _text_label()
        self._hint = _text_label()
        self._retry = self._button(self.tr("Retry"), self.tr("Try the same thing again"))
        self._retry.clicked.connect(self.retry)
        self._copy = self._button(
            self.tr("Copy details"), self.tr("Copy the message and what is known about it")
        )
        self._copy.clicked.connect(self.copy_details)
        self._close = self._button("", self.tr("Hide this message"))
        self._close.setIcon(icon("x", "danger"))
        self._close.clicked.connect(self.hide)
        self._lay_out()
        self.hide()

    def show_error(self, error: EngineError, *, can_retry: bool = True) -> None:
        self._error = error
        self._message.setText(error.message)
        self._hint.setText(error.hint)
        self._hint.setVisible(bool(error.hint))
        self._retry.setVisible(can_retry)
        self._copy.setVisible(not isinstance(error, InvalidTask))  # nothing more is known then
        self._sign.setPixmap(
            icon_pixmap("circle-alert", colors().danger, QSize(16, 16), self.devicePixelRatioF())
        )
        self.setAccessibleName(str(error))
        self.show()

    def details(self) -> str:
        """The error as text for a report, with the traceback when it was a bug."""
        parts = [self._error.message, self._error.hint]
        if isinstance(self._error, UnexpectedError):
            parts.append(self._error.details)
        return "\n".join(part for part in parts if part)

    def copy_details(self) -> None:
        QGuiApplication.clipboard().setText(self.details())

    def _button(self, text: str, tip: str) -> QPushButton:
        button = QPushButton(text)
        set_role(button, "quiet")
        button.setToolTip(tip)
        button.setAccessibleName(text or tip)
        return button

    def _lay_out(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(SPACING // 4)
        words.addWidget(self._message)
        words.addWidget(self._hint)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING)
        row.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        for button in (self._retry, self._copy, self._close):
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)


def _text_label() -> QLabel:
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    return label
