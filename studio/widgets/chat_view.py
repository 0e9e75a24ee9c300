"""The messages of a chat under each other, in a calm column; it follows the newest as it grows."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from engine.chat_log import Message
from studio.theme import SPACING, set_role
from studio.widgets.column_edit import MARGIN
from studio.widgets.message_view import MessageView

NEAR = 8 * SPACING  # pixels from the end within which the view follows it


class ChatView(QScrollArea):
    """Passes on what is wanted of a message, with its number."""

    again = Signal(int)
    edited = Signal(int, str)
    turned = Signal(int, int)
    branched = Signal(int)
    deleted = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        set_role(self, "page")
        self._views: list[MessageView] = []
        self._forgotten = 0
        self._line = QLabel(
            self.tr("There was no room for what is above; the model reads on here.")
        )
        self._line.setAlignment(Qt.AlignmentFlag.AlignCenter)
        set_role(self._line, "caption")
        self._line.hide()
        self._column = QWidget()
        self._rows = QVBoxLayout(self._column)
        self._rows.setContentsMargins(0, MARGIN, 0, MARGIN)
        self._rows.setSpacing(SPACING)
        self._rows.addStretch(1)
        inside = QWidget()
        set_role(inside, "page")
        inside.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        outer = QVBoxLayout(inside)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._column, 0, Qt.AlignmentFlag.AlignHCenter)
        outer.addStretch(1)
        self.setWidget(inside)
        self._follows = True
        bar = self.verticalScrollBar()
        bar.rangeChanged.connect(self._follow)
        bar.valueChanged.connect(self._note_place)

    def show_messages(self, messages: Sequence[Message], places: Sequence[tuple[int, int]]) -> None:
        """`places`: which of how many alternatives each message is."""
        numbers = [message.number for message in messages]
        kept = [view.message.number for view in self._views]
        same = next(
            (n for n, pair in enumerate(zip(numbers, kept, strict=False)) if pair[0] != pair[1]),
            min(len(numbers), len(kept)),
        )
        for view in self._views[same:]:
            self._rows.removeWidget(view)
            view.hide()
            view.deleteLater()
        del self._views[same:]
        for message in messages[same:]:
            self._views.append(self._view(message))
        for view, message, place in zip(self._views, messages, places, strict=True):
            view.show_message(message, *place)
        self._show_line()

    def show_forgotten(self, count: int) -> None:
        """How many of the first messages the model was not shown any more."""
        self._forgotten = count
        self._show_line()

    def set_ready(self, ready: bool) -> None:
        for view in self._views:
            view.set_ready(ready)

    def views(self) -> list[MessageView]:
        return list(self._views)

    def go_to_end(self) -> None:
        self._follows = True
        self._follow()

    def set_column(self, width: int) -> None:
        self._column.setFixedWidth(width)

    def _view(self, message: Message) -> MessageView:
        view = MessageView(message)
        view.again.connect(self.again)
        view.edited.connect(self.edited)
        view.turned.connect(self.turned)
        view.branched.connect(self.branched)
        view.deleted.connect(self.deleted)
        self._rows.insertWidget(self._rows.count() - 1, view)  # before the stretch
        return view

    def _show_line(self) -> None:
        self._rows.removeWidget(self._line)
        shown = 0 < self._forgotten < len(self._views)
        if shown:
            self._rows.insertWidget(self._forgotten, self._line)
        self._line.setVisible(shown)

    def _note_place(self, value: int) -> None:
        self._follows = value >= self.verticalScrollBar().maximum() - NEAR

    def _follow(self) -> None:
        if self._follows:
            bar = self.verticalScrollBar()
            bar.setValue(bar.maximum())
