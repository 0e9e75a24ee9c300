"""What a person chats at: the messages, the line under them, and the box to say something."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from engine.events import ContextUse
from studio.theme import SPACING, set_role
from studio.widgets.chat_box import ChatBox
from studio.widgets.chat_view import ChatView
from studio.widgets.column_edit import COLUMN, MARGIN
from studio.widgets.empty_state import EmptyState
from studio.widgets.error_box import ErrorBox
from studio.widgets.pack_notice import PackNotice


class ChatDesk(QWidget):
    """Everything in one column; what went wrong or is missing appears above the box."""

    def __init__(
        self, notice: PackNotice, files_notice: PackNotice, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        set_role(self, "page")
        self.view = ChatView()
        self.empty = EmptyState(
            "send",
            self.tr("Talk with a model"),
            self.tr(
                "It answers from what it has learned, on your machine alone, and can be wrong. "
                "Every message can be edited, answered again, or gone on from in another chat."
            ),
            self.tr("Say something"),
        )
        self._stack = QStackedWidget()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.view)
        self.status = QLabel(textFormat=Qt.TextFormat.PlainText)
        self.meter = QLabel(textFormat=Qt.TextFormat.PlainText)
        self.meter.setToolTip(
            self.tr(
                "How much of what the model can read at once this chat takes. When it is full, "
                "the oldest messages are left out, and a line shows where."
            )
        )
        for label in (self.status, self.meter):
            set_role(label, "caption")
        self.error = ErrorBox()
        self.notice, self.files_notice = notice, files_notice
        self.box = ChatBox()
        self.empty.triggered.connect(self.box.setFocus)
        self._lay_out()
        self.setFocusProxy(self.box)

    def show_empty(self, empty: bool) -> None:
        self._stack.setCurrentWidget(self.empty if empty else self.view)

    def show_use(self, use: ContextUse | None) -> None:
        """How full the context was after the last answer."""
        self.meter.setText(
            self.tr("{:,} of {:,} tokens").format(use.tokens, use.limit) if use else ""
        )
        self.view.show_forgotten(use.forgotten if use else 0)

    def _lay_out(self) -> None:
        line = QHBoxLayout()
        line.addWidget(self.status, 1)
        line.addWidget(self.meter)
        self._under = QWidget()
        column = QVBoxLayout(self._under)
        column.setContentsMargins(0, SPACING, 0, 2 * SPACING)
        column.setSpacing(SPACING)
        column.addLayout(line)
        for widget in (self.error, self.notice, self.files_notice, self.box):
            column.addWidget(widget)
        centered = QHBoxLayout()
        centered.addStretch()
        centered.addWidget(self._under)
        centered.addStretch()
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(self._stack, 1)
        rows.addLayout(centered)
        self._center()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._center()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._center()

    def _center(self) -> None:
        """No line gets longer than a person reads with ease."""
        if hasattr(self, "_under"):  # the first style comes before there is anything
            column = self.fontMetrics().averageCharWidth() * COLUMN + 2 * MARGIN
            column = max(1, min(column, self.width() - 4 * SPACING))
            self._under.setFixedWidth(column)
            self.view.set_column(column)
