"""Where a person says something in a chat: Enter sends it, Shift+Enter begins another line."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from studio.theme import SPACING, icon, set_role
from studio.widgets.prompt_edit import PromptEdit


class SendEdit(PromptEdit):
    sent = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.sent.emit()
        else:
            super().keyPressEvent(event)


class ChatBox(QWidget):
    """`sent` on Enter or Send, `stopped` on Stop."""

    sent = Signal()
    stopped = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.prompt = SendEdit()
        self.prompt.setPlaceholderText(self.tr("Say something …"))
        self.prompt.setAccessibleName(self.tr("Message"))
        self.prompt.setToolTip(
            self.tr(
                "Enter sends it, Shift+Enter begins another line, Alt+Up brings back earlier ones"
            )
        )
        self.prompt.sent.connect(self.sent)
        self._send = QPushButton(icon("send", "on_accent"), self.tr("Send"))
        self._send.setToolTip(self.tr("The model answers your message (Enter)"))
        set_role(self._send, "primary")
        self._send.clicked.connect(self.sent)
        self._stop = QPushButton(icon("square", "muted"), self.tr("Stop"))
        self._stop.setToolTip(self.tr("Stop writing and keep what is there (Esc)"))
        self._stop.clicked.connect(self.stopped)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING)
        row.addWidget(self.prompt, 1)
        for button in (self._stop, self._send):
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignBottom)
        self.setFocusProxy(self.prompt)
        self.set_ready(True)

    def set_ready(self, ready: bool) -> None:
        self._send.setVisible(ready)
        self._stop.setVisible(not ready)
