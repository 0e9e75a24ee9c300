"""Asks in place what is to be made of a run, shows how far it is, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from engine.errors import EngineError
from engine.events import Progress
from engine.task import Task
from studio import theme
from studio.widgets.error_box import ErrorBox
from studio.widgets.flow_layout import FlowLayout
from studio.widgets.number_box import indent_text

TENS_FROM = 1000
"""A number that can be so large is stepped through by tens."""
MOST_LINES = 5
"""Of what is said, at one time; the curves above need the room."""


@dataclass(frozen=True)
class Words:
    """What the bar calls its deed."""

    icon: str
    button: str
    tool_tip: str
    progress: str


class RunTaskBar(QFrame):
    """`requested` carries the `shown` fields of the task; whoever listens knows the run."""

    requested = Signal(dict)
    cancel_requested = Signal()

    def __init__(
        self, task: type[Task], shown: Sequence[str], words: Words, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        theme.set_role(self, "card")
        self.errors = ErrorBox()
        self.errors.retry.connect(self.request)
        self._editors = {name: _editor(task, name) for name in shown}
        self._button = QPushButton(theme.icon(words.icon), words.button)
        self._button.setToolTip(words.tool_tip)
        self._button.clicked.connect(self.request)
        self._close = QPushButton(self.tr("Close"))
        theme.set_role(self._close, "quiet")
        self._close.setToolTip(self.tr("Put this away; what is being made is given up"))
        self._close.clicked.connect(self._dismiss)
        self._bar = QProgressBar()
        self._bar.setAccessibleName(words.progress)
        self._said = _Said()
        self._lay_out(task)
        self.set_busy(False)
        self.hide()

    def _lay_out(self, task: type[Task]) -> None:
        fields = FlowLayout()
        for name, editor in self._editors.items():
            fields.addWidget(_labelled(task.field(name).param.label, editor))
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.SPACING)
        buttons.addWidget(self._close)
        buttons.addWidget(self._button)
        row = QHBoxLayout()
        row.setSpacing(theme.SPACING)
        row.addLayout(fields, 1)
        row.addLayout(buttons)
        layout = QVBoxLayout(self)
        layout.setSpacing(theme.SPACING)
        layout.addLayout(row)
        for widget in (self._bar, self._said, self.errors):
            layout.addWidget(widget)

    def open(self) -> None:
        self._said.hide()
        self.errors.hide()
        self.show()
        next(iter(self._editors.values())).setFocus()

    def request(self) -> None:
        self.errors.hide()
        self._said.hide()
        if not self._busy:
            self.requested.emit({name: _value(box) for name, box in self._editors.items()})

    def set_busy(self, busy: bool) -> None:
        self._busy = busy
        self._bar.setRange(0, 0)
        self._bar.setVisible(busy)
        self._button.setEnabled(not busy)
        self._said.hide()

    def show_progress(self, progress: Progress) -> None:
        self._bar.setRange(0, progress.total or 0)
        self._bar.setValue(progress.step)
        if progress.stage:
            self._said.say(f"{progress.stage[0].upper()}{progress.stage[1:]}…")

    def say(self, text: str) -> None:
        self._said.say(text)

    def show_error(self, error: EngineError) -> None:
        self.errors.show_error(error)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._dismiss()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.request()
        else:
            super().keyPressEvent(event)

    def _dismiss(self) -> None:
        self.cancel_requested.emit()
        self.hide()


class _Said(QScrollArea):
    """A few lines of text that can be selected; where there are more, they are scrolled."""

    def __init__(self) -> None:
        super().__init__()
        self._label = QLabel()
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._label.setWordWrap(True)
        theme.set_role(self._label, "caption")
        self.setWidget(self._label)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def say(self, text: str) -> None:
        self._label.setText(text)
        self.show()
        self._fit()

    def text(self) -> str:
        return self._label.text()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        needed = self._label.heightForWidth(self.viewport().width())  # -1 for no text
        self.setFixedHeight(
            min(max(needed, 0), MOST_LINES * self._label.fontMetrics().lineSpacing())
        )


def _editor(task: type[Task], name: str) -> QComboBox | QSpinBox | QLineEdit:
    """By the kind of the field: a choice, a whole number or a line of text."""
    field = task.field(name)
    editor: QComboBox | QSpinBox | QLineEdit
    if field.param.choices is not None:
        editor = QComboBox()
        editor.addItems(field.param.options())
    elif isinstance(field.default, int):
        editor = QSpinBox()
        indent_text(editor)
        editor.setSpecialValueText(field.param.zero)
        editor.setRange(int(field.param.minimum or 0), int(field.param.maximum or 0))
        editor.setValue(field.default)
        editor.setSingleStep(10 if editor.maximum() >= TENS_FROM else 1)
    else:
        editor = QLineEdit()
        editor.setMinimumWidth(30 * editor.fontMetrics().averageCharWidth())
    editor.setToolTip(field.param.help)
    editor.setAccessibleName(field.param.label)
    return editor


def _value(editor: QComboBox | QSpinBox | QLineEdit) -> Any:
    if isinstance(editor, QComboBox):
        return editor.currentText()
    return editor.value() if isinstance(editor, QSpinBox) else editor.text()


def _labelled(text: str, editor: QWidget) -> QWidget:
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setBuddy(editor)
    theme.set_role(label, "caption")
    pair = QWidget()
    row = QHBoxLayout(pair)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(theme.SPACING)
    row.addWidget(label)
    row.addWidget(editor)
    return pair
