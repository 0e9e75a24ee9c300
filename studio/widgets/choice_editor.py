"""The row for one of several, such as the models that are here."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QWidget

from engine.task import Field
from studio.theme import SPACING
from studio.widgets.field_editors import FieldEditor
from studio.widgets.number_box import only_when_focused


class _ChoiceBox(QComboBox):
    """A combo box that asks for its choices again each time it opens: models come and go."""

    def __init__(self, field: Field) -> None:
        super().__init__()
        self._field = field
        self.setEditable(field.param.editable)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(12)
        only_when_focused(self)
        self.refresh()

    def showPopup(self) -> None:
        self.refresh()
        super().showPopup()

    def refresh(self) -> None:
        options = list(self._field.param.options())
        if options == [self.itemText(i) for i in range(self.count())]:
            return
        chosen = self.currentText()
        with QSignalBlocker(self):
            self.clear()
            self.addItems(options)
        self.choose(chosen)

    def choose(self, value: str) -> None:
        if self.isEditable():
            self.setEditText(value)
        else:
            self.setCurrentIndex(self.findText(value, Qt.MatchFlag.MatchExactly))


class ChoiceEditor(FieldEditor):
    """One of several, or where the field says so a text of the person's own."""

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        self._combo = _ChoiceBox(field)
        self._combo.currentTextChanged.connect(self._edited)
        self.row = QHBoxLayout()
        self.row.setSpacing(SPACING // 2)
        self.row.addWidget(self._combo, 1)
        self.column.addLayout(self.row)
        self._adopt(self._combo)

    def value(self) -> str:
        return self._combo.currentText().strip()

    def show_value(self, value: str) -> None:
        self._combo.refresh()
        self._combo.choose(value)
