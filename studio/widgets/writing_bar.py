"""The line under the page: how much is written, what the model does now, what to do with it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QWidget,
)

from studio.theme import SPACING, icon, set_role
from studio.widgets.elided_label import ElidedLabel
from studio.widgets.quiet_tool import quiet_tool


class WritingBar(QWidget):
    """Words at the left; in the middle what can be done now; at the right what is always there.

    Its height never changes, so that the page above it does not jump.
    """

    stop = Signal()
    keep = Signal()
    discard = Signal()
    again = Signal()
    turn = Signal(int)  # -1 or 1
    draw = Signal()
    copy = Signal()
    export = Signal()
    read = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._status = ElidedLabel()
        set_role(self._status, "caption")
        self._stop = self._button(
            "square", self.tr("Stop"), self.tr("Stop writing and keep what is there (Esc)")
        )
        self._keep = self._button(
            "check", self.tr("Keep"), self.tr("Make the suggestion part of your text (Alt+Enter)")
        )
        self._discard = self._button(
            "x", self.tr("Discard"), self.tr("Take the suggestion out (Ctrl+Z or Esc)")
        )
        self._again = self._button(
            "refresh-cw", self.tr("Again"), self.tr("Write another one in its place (Ctrl+R)")
        )
        self._change = self._button(
            "wand-sparkles",
            self.tr("Change"),
            self.tr("Let the model change the selection, or this paragraph (Ctrl+J)"),
        )
        self._before = quiet_tool("chevron-left", self.tr("The text before (Alt+Left)"))
        self._place = QLabel(textFormat=Qt.TextFormat.PlainText)
        set_role(self._place, "caption")
        self._next = quiet_tool("chevron-right", self.tr("The next text (Alt+Right)"))
        self._before.clicked.connect(lambda: self.turn.emit(-1))
        self._next.clicked.connect(lambda: self.turn.emit(1))
        self.show_place(0, 0)
        self._read = quiet_tool(
            "eye", self.tr("Show the text as it reads: Markdown, pictures (Ctrl+M)")
        )
        self._read.setCheckable(True)
        self._read.clicked.connect(self.read)
        self._stop.clicked.connect(self.stop)
        self._keep.clicked.connect(self.keep)
        self._discard.clicked.connect(self.discard)
        self._again.clicked.connect(self.again)
        self._lay_out()
        self.show_idle()

    def set_changes(self, menu: QMenu) -> None:
        """What can be done with a text that is there."""
        self._change.setMenu(menu)

    def open_changes(self) -> None:
        self._change.showMenu()

    def show_place(self, place: int, count: int) -> None:
        """Which of how many texts is on the page, counted from 1; nothing for fewer than two."""
        self._place.setText(self.tr("{} of {}").format(place, count))
        self._before.setEnabled(place > 1)
        self._next.setEnabled(place < count)
        for widget in (self._before, self._place, self._next):
            widget.setVisible(count > 1)

    def show_reading(self, reading: bool) -> None:
        self._read.setChecked(reading)

    def show_idle(self) -> None:
        self._offer(self._change)

    def show_writing(self) -> None:
        self._offer(self._stop)

    def show_suggestion(self) -> None:
        self._offer(self._keep, self._discard, self._again)

    def set_status(self, text: str) -> None:
        self._status.setText(text)

    def status(self) -> str:
        return self._status.text()

    def _offer(self, *offered: QPushButton) -> None:
        for button in (self._change, self._stop, self._keep, self._discard, self._again):
            button.setVisible(button in offered)

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING // 2)
        row.addWidget(self._status, 1)
        for widget in (self._before, self._place, self._next):
            row.addWidget(widget)
        for button in (self._change, self._stop, self._keep, self._discard, self._again):
            row.addWidget(button)
        row.addSpacing(SPACING)
        row.addWidget(self._read)
        for name, tip, signal in (
            (
                "brush",
                self.tr("Draw this: the selection, or what was written last (Ctrl+D)"),
                "draw",
            ),
            ("copy", self.tr("Copy the whole text, or the selection"), "copy"),
            ("save", self.tr("Export as .txt, .md or .docx (Ctrl+E)"), "export"),
        ):
            tool = quiet_tool(name, tip)
            tool.clicked.connect(getattr(self, signal))
            row.addWidget(tool)

    def _button(self, icon_name: str, text: str, tip: str) -> QPushButton:
        button = QPushButton(icon(icon_name, "muted"), text)
        set_role(button, "quiet")
        button.setToolTip(tip)
        button.setAccessibleName(text)
        return button
