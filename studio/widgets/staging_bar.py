"""What is to become of a result over the canvas: accept it, discard it, see another."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from studio.theme import SPACING, icon, set_role
from studio.widgets.compare_control import CompareControl


class StagingBar(QFrame):
    """Floats over the canvas while there is something to decide."""

    accepted = Signal()
    discarded = Signal()
    stepped = Signal(int)  # 1: the next, -1: the one before

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "card")
        self._previous = self._tool("chevron-left", self.tr("Previous result"), -1)
        self._next = self._tool("chevron-right", self.tr("Next result"), 1)
        self._place = QLabel()
        set_role(self._place, "caption")
        self.accept_button = QPushButton(icon("check", "on_accent"), self.tr("Accept"))
        self.accept_button.setToolTip(self.tr("Make a layer of it (Enter)"))
        set_role(self.accept_button, "primary")
        self.accept_button.clicked.connect(self.accepted)
        self.discard_button = QPushButton(icon("x", "muted"), self.tr("Discard"))
        self.discard_button.setToolTip(
            self.tr("Show what is below again; the file stays with the results (Delete)")
        )
        set_role(self.discard_button, "quiet")
        self.discard_button.clicked.connect(self.discarded)
        self.compare = CompareControl(compact=True)
        self._lay_out()
        self.hide()

    def show_place(self, index: int, count: int) -> None:
        """Which of how many is shown."""
        self._place.setText(self.tr("{} of {}").format(index + 1, count))
        for widget in (self._previous, self._place, self._next):
            widget.setVisible(count > 1)
        self._previous.setEnabled(index > 0)
        self._next.setEnabled(index < count - 1)

    def set_comparable(self, comparable: bool) -> None:
        """Whether there is anything below to compare with."""
        self.compare.setVisible(comparable)
        if not comparable:
            self.compare.set_place(None)

    def _tool(self, name: str, tip: str, delta: int) -> QToolButton:
        button = QToolButton()
        button.setIcon(icon(name, "muted"))
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        set_role(button, "quiet")
        button.clicked.connect(lambda: self.stepped.emit(delta))
        return button

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(*[SPACING // 2] * 4)
        row.setSpacing(SPACING // 2)
        for widget in (
            *(self._previous, self._place, self._next),
            *(self.compare, self.discard_button, self.accept_button),
        ):
            row.addWidget(widget)
