"""Where it is chosen what is done to a picture: the task, its settings and one button."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QUndoStack
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from engine.errors import InvalidTask
from engine.task import Task
from studio.theme import SPACING, icon, set_role
from studio.widgets.number_box import only_when_focused
from studio.widgets.parameter_form import ParameterForm

IMAGE = "image"
"""The field for the picture, which is the one on the canvas."""


class EffectDesk(QWidget):
    """A form for each task that makes a picture of a picture; none needs a widget of its own."""

    wanted = Signal(str)  # the name of the task
    changed = Signal()

    def __init__(
        self, tasks: Sequence[type[Task]], undo_stack: QUndoStack, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._tasks = list(tasks)
        self._choice = QComboBox()
        self._choice.addItems([task.title for task in tasks])
        self._choice.setAccessibleName(self.tr("Effect"))
        self._choice.setToolTip(self.tr("What is done to the picture; it stays as it is"))
        only_when_focused(self._choice)
        self._summary = QLabel()
        self._summary.setTextFormat(Qt.TextFormat.PlainText)
        self._summary.setWordWrap(True)
        set_role(self._summary, "caption")
        self._pages = QStackedWidget()
        self.forms = {
            task.name(): ParameterForm(task, exclude=(IMAGE,), undo_stack=undo_stack)
            for task in tasks
        }
        for form in self.forms.values():
            self._pages.addWidget(form)
            form.changed.connect(self.changed)
        self.button = QPushButton(icon("wand-sparkles", "on_accent"), self.tr("Apply"))
        self.button.setToolTip(self.tr("Make a new picture of what is shown or marked"))
        set_role(self.button, "primary")
        self.button.clicked.connect(self._want)
        self._choice.currentIndexChanged.connect(self._show)
        self._lay_out()
        self._show(0)

    @property
    def current(self) -> str:
        """The name of the task that is chosen."""
        return self._tasks[self._choice.currentIndex()].name()

    def choose(self, name: str) -> None:
        names = [task.name() for task in self._tasks]
        if name in names:
            self._choice.setCurrentIndex(names.index(name))

    def values(self) -> dict[str, dict[str, Any]]:
        """The settings of each task, by its name."""
        return {name: form.values() for name, form in self.forms.items()}

    def show_values(self, values: Mapping[str, Any]) -> None:
        """What cannot be used stays as it is; no step of undo."""
        for name, form in self.forms.items():
            if isinstance(values.get(name), dict):
                usable, _ = form.check(values[name])
                form.show_values(usable)

    def _show(self, index: int) -> None:
        self._pages.setCurrentIndex(index)
        self._summary.setText(self._tasks[index].summary)
        self.changed.emit()

    def _want(self) -> None:
        try:
            self.forms[self.current].task(**{IMAGE: "chosen later"})
        except InvalidTask:
            return  # the form says it under the field
        self.wanted.emit(self.current)

    def _lay_out(self) -> None:
        head = QVBoxLayout()
        head.setContentsMargins(2 * SPACING, SPACING, 2 * SPACING, SPACING)
        head.setSpacing(SPACING)
        head.addWidget(self._choice)
        head.addWidget(self._summary)
        foot = QVBoxLayout()
        foot.setContentsMargins(2 * SPACING, SPACING, 2 * SPACING, 2 * SPACING)
        foot.addWidget(self.button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self._pages, 1)
        column.addLayout(foot)
        self.setFocusProxy(self._choice)
