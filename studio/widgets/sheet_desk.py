"""Where a sheet of stickers is asked for: its form and one button."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QUndoStack
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from engine.errors import InvalidTask
from engine.task import Task
from studio.theme import SPACING, icon, set_role
from studio.widgets.parameter_form import ParameterForm


class SheetDesk(QWidget):
    """`draw_requested` carries the checked task."""

    draw_requested = Signal(object)

    def __init__(
        self, draws: type[Task], undo_stack: QUndoStack, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.form = ParameterForm(draws, undo_stack=undo_stack)
        self.button = QPushButton(icon("sparkles", "on_accent"), self.tr("Draw the sheet"))
        self.button.setToolTip(self.tr("Draw all of them; what is finished is kept when you stop"))
        set_role(self.button, "primary")
        self.button.clicked.connect(self.draw)
        foot = QVBoxLayout()
        foot.setContentsMargins(2 * SPACING, SPACING, 2 * SPACING, 2 * SPACING)
        foot.addWidget(self.button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.form, 1)
        layout.addLayout(foot)
        self.setFocusProxy(self.form.editor("prompts"))

    def draw(self) -> None:
        try:
            task = self.form.task()
        except InvalidTask:
            return  # the form says it under the field
        self.form.show_seed_used(task.to_dict()["seed"])
        self.draw_requested.emit(task)
