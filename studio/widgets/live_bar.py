"""The values of a training that can change while it runs, one box each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from engine.task import Field
from studio import theme
from studio.widgets.flow_layout import FlowLayout
from studio.widgets.number_box import NumberBox


class LiveBar(QFrame):
    """`value_set` fires when a person has typed another value and leaves the box or presses
    Enter."""

    value_set = Signal(str, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.set_role(self, "card")
        self._boxes: dict[str, NumberBox] = {}
        self._told: dict[str, float] = {}  # by the run
        self._asked: dict[str, float] = {}  # by the person, of which the run tells when it heard
        self._row = FlowLayout(gap=2 * theme.SPACING)
        self._explanation = QLabel()
        self._explanation.setTextFormat(Qt.TextFormat.PlainText)
        theme.set_role(self._explanation, "caption")
        layout = QVBoxLayout(self)
        layout.addLayout(self._row)
        self._row.addWidget(self._explanation)
        self.hide()

    def set_fields(self, fields: Sequence[Field]) -> None:
        """The live fields of the run that is shown; those that are numbers get a box."""
        numbers = [field for field in fields if field.type in (int, float)]
        if [field.name for field in numbers] == list(self._boxes):
            return
        while (item := self._row.takeAt(0)) is not None:
            widget = item.widget()
            if widget not in (None, self._explanation):
                widget.setParent(None)
                widget.deleteLater()
        self._boxes.clear()
        self._told.clear()
        self._asked.clear()
        for field in numbers:
            self._row.addWidget(self._editor(field))
        self._row.addWidget(self._explanation)

    def set_values(self, values: Mapping[str, Any]) -> None:
        """What they are now; a box in which somebody types is left alone."""
        for name, box in self._boxes.items():
            value = values.get(name)
            before = self._told.get(name)
            if isinstance(value, int | float) and before != value:
                self._told[name] = self._asked[name] = float(value)
                # Focus alone is no typing: left as it was, the old value would be sent on leaving.
                if not box.hasFocus() or box.number() == before:
                    box.setValue(float(value))

    def set_running(self, running: bool) -> None:
        """While nobody trains it, a value waits, which has to be said."""
        self._explanation.setText(self.tr("Counts when the training goes on."))
        self._explanation.setVisible(not running)

    @property
    def names(self) -> list[str]:
        return list(self._boxes)

    def box(self, name: str) -> NumberBox:
        return self._boxes[name]

    def _editor(self, field: Field) -> QWidget:
        whole = field.type is int
        param = field.param
        box = NumberBox(
            whole=whole,
            minimum=param.minimum,
            maximum=param.maximum,
            multiple_of=param.multiple_of,
        )
        box.setAccessibleName(param.label)
        box.setToolTip(param.help)
        box.editingFinished.connect(lambda: self._leave(field.name))
        self._boxes[field.name] = box
        label = QLabel(param.label)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setBuddy(box)
        editor = QWidget()
        row = QHBoxLayout(editor)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.SPACING)
        row.addWidget(label, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(box)
        return editor

    def _leave(self, name: str) -> None:
        value = float(self._boxes[name].number())
        if value != self._asked.get(name):
            self._asked[name] = value
            self.value_set.emit(name, value)
