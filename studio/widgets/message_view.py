"""One message of a chat: who said it, what, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from engine.chat_log import Message
from studio.theme import SPACING, set_role
from studio.widgets.markdown_view import MarkdownView
from studio.widgets.prompt_edit import PromptEdit
from studio.widgets.quiet_tool import quiet_tool

Deed = tuple[str, str, Callable[[], object]]
"""The icon of a button, its tip, what it does."""

RENDER_EVERY = 100  # milliseconds, while it grows


class MessageView(QFrame):
    """Signals carry the number of the message; `edited` the new text too, `turned` a direction."""

    again = Signal(int)
    edited = Signal(int, str)
    turned = Signal(int, int)
    branched = Signal(int)
    deleted = Signal(int)

    def __init__(self, message: Message, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.message = message
        mine = message.role == "user"
        set_role(self, "said" if mine else "answered")
        who = QLabel(self.tr("You") if mine else self.tr("Model"))
        set_role(who, "caption")
        self._text = MarkdownView()
        self._text.setAccessibleName(who.text())
        self._editor: PromptEdit | None = None
        self._tools = QWidget()
        row = QHBoxLayout(self._tools)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        number = message.number
        self._before = quiet_tool("chevron-left", self.tr("The text before this one"))
        self._before.clicked.connect(lambda: self.turned.emit(number, -1))
        self._place = QLabel()
        set_role(self._place, "caption")
        self._next = quiet_tool("chevron-right", self.tr("The text after this one"))
        self._next.clicked.connect(lambda: self.turned.emit(number, 1))
        for widget in (self._before, self._place, self._next):
            row.addWidget(widget)
        for icon, tip, deed in self._deeds(mine):
            tool = quiet_tool(icon, tip)
            tool.clicked.connect(deed)
            row.addWidget(tool)
        top = QHBoxLayout()
        top.addWidget(who)
        top.addStretch(1)
        top.addWidget(self._tools)
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(2 * SPACING, SPACING, 2 * SPACING, 2 * SPACING)
        self._rows.setSpacing(SPACING // 2)
        self._rows.addLayout(top)
        self._rows.addWidget(self._text)
        self._render = QTimer(self, singleShot=True, interval=RENDER_EVERY)
        self._render.timeout.connect(self._show)
        self._show()

    def show_message(self, message: Message, place: int, count: int) -> None:
        """The text as it is now, and which of how many alternatives it is, counted from 1."""
        grown = message.text != self.message.text
        self.message = message
        if grown and not self._render.isActive():
            self._render.start()
        self._place.setText(self.tr("{} of {}").format(place, count))
        self._before.setEnabled(place > 1)
        self._next.setEnabled(place < count)
        for widget in (self._before, self._place, self._next):
            widget.setVisible(count > 1)

    def set_ready(self, ready: bool) -> None:
        """While an answer is written nothing else is done."""
        self._tools.setEnabled(ready)

    def edit(self) -> None:
        """Change the text in place; Ctrl+Enter takes it, Escape leaves it."""
        if self._editor is None:
            self._editor = PromptEdit()
            self._editor.setPlainText(self.message.text)
            self._editor.setAccessibleName(self.tr("The message"))
            self._buttons = self._edit_buttons()
            self._rows.addWidget(self._editor)
            self._rows.addWidget(self._buttons)
            self._text.hide()
            self._tools.hide()
        self._editor.setFocus()

    def text(self) -> str:
        """As it is read."""
        return self._text.toPlainText()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if self._editor and event.key() == Qt.Key.Key_Escape:
            self._leave()
        elif self._editor and enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._take()
        else:
            super().keyPressEvent(event)

    def _show(self) -> None:
        waiting = self.message.role == "assistant" and not self.message.text
        self._text.show_markdown("…" if waiting else self.message.text)

    def _take(self) -> None:
        text = self._editor.toPlainText().strip() if self._editor else ""
        self._leave()
        if text and text != self.message.text:
            self.edited.emit(self.message.number, text)

    def _leave(self) -> None:
        if self._editor:
            self._editor.deleteLater()
            self._buttons.deleteLater()
            self._editor = None
            self._text.show()
            self._tools.show()

    def _edit_buttons(self) -> QWidget:
        mine = self.message.role == "user"
        take = QPushButton(self.tr("Ask this") if mine else self.tr("Keep"))
        take.setToolTip(self.tr("What was said before stays, one press apart (Ctrl+Enter)"))
        set_role(take, "primary")
        take.clicked.connect(self._take)
        leave = QPushButton(self.tr("Cancel"))
        leave.setToolTip(self.tr("Leave the message as it was (Esc)"))
        leave.clicked.connect(self._leave)
        buttons = QWidget()
        row = QHBoxLayout(buttons)
        row.setContentsMargins(0, SPACING // 2, 0, 0)
        row.addStretch(1)
        row.addWidget(leave)
        row.addWidget(take)
        return buttons

    def _deeds(self, mine: bool) -> list[Deed]:
        number = self.message.number
        again: Deed = ("refresh-cw", self.tr("Answer again"), lambda: self.again.emit(number))
        deeds: list[Deed] = [
            ("pen-line", self.tr("Edit this message"), self.edit),
            ("copy", self.tr("Copy this message"), self._copy),
            (
                "copy-plus",
                self.tr("Go on from here in a chat of its own"),
                lambda: self.branched.emit(number),
            ),
            (
                "trash-2",
                self.tr("Delete this message and what follows"),
                lambda: self.deleted.emit(number),
            ),
        ]
        return deeds if mine else [again, *deeds]

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.message.text)
