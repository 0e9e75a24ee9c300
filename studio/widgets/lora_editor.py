"""The row for LoRAs: each with its name and its weight, as many as are wanted."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from engine import library, loras
from engine.errors import InvalidTask
from engine.loras import STRONGEST, Wanted
from engine.task import Field
from studio.theme import SPACING, icon, set_role
from studio.widgets.field_editors import FieldEditor
from studio.widgets.number_box import NumberBox, only_when_focused
from studio.widgets.quiet_tool import quiet_tool


class LoraEditor(FieldEditor):
    """Its value is the text that `loras.parse` reads. Files can be dropped on it."""

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        self._rows: list[_LoraRow] = []
        self._list = QVBoxLayout()
        self._list.setSpacing(SPACING // 2)
        self.column.addLayout(self._list)
        self._add = QPushButton(icon("plus", "muted"), self.tr("Add a LoRA"))
        self._add.setToolTip(self.tr("One of those in models/loras, or a file dropped here"))
        set_role(self._add, "quiet")
        self._add.clicked.connect(self._add_one)
        self.head.addWidget(self._add)
        self._adopt(self._add)
        self.setAcceptDrops(True)

    def value(self) -> str:
        return loras.told([row.wanted() for row in self._rows])

    def show_value(self, value: str) -> None:
        """Also one that cannot be used as it is: what was wrong is said when it is checked."""
        if value == self.value():
            return
        try:
            wanted = loras.parse(value)
        except InvalidTask:
            wanted = tuple(Wanted(line) for line in value.splitlines() if line.strip())
        for row in list(self._rows):
            self._take_out(row)
        for each in wanted:
            self._put_in(each)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _dropped(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        for path in _dropped(event):
            self._put_in(Wanted(str(path)))
        self._edited()

    def _add_one(self) -> None:
        """The first that is here and not in use, else an empty row to be filled."""
        used = {row.wanted().name for row in self._rows}
        free = [name for name in library.loras() if name not in used]
        row = self._put_in(Wanted(free[0] if free else ""))
        row.setFocus()
        self._edited()

    def _put_in(self, wanted: Wanted) -> _LoraRow:
        row = _LoraRow(wanted)
        row.changed.connect(self._edited)
        row.removed.connect(lambda: self._remove(row))
        self._rows.append(row)
        self._list.addWidget(row)
        return row

    def _remove(self, row: _LoraRow) -> None:
        self._take_out(row)
        self._add.setFocus()
        self._edited()

    def _take_out(self, row: _LoraRow) -> None:
        self._rows.remove(row)
        self._list.removeWidget(row)
        row.hide()
        row.deleteLater()


class _LoraRow(QWidget):
    """Name, weight, and a cross."""

    changed = Signal()
    removed = Signal()

    def __init__(self, wanted: Wanted) -> None:
        super().__init__()
        self._name = QComboBox(editable=True)
        self._name.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self._name.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self._name.setMinimumContentsLength(8)
        self._name.setAccessibleName(self.tr("LoRA"))
        self._name.setToolTip(self.tr("A LoRA in models/loras, or the path of one"))
        only_when_focused(self._name)
        with QSignalBlocker(self._name):
            self._name.addItems(list(library.loras()))
            self._name.setEditText(wanted.name)
        self._weight = NumberBox(whole=False, minimum=-STRONGEST, maximum=STRONGEST)
        self._weight.setValue(wanted.weight)
        self._weight.setSingleStep(0.1)
        self._weight.make_room_for("-0.75")
        self._weight.setAccessibleName(self.tr("Weight"))
        self._weight.setToolTip(self.tr("1: as it was made; less: weaker; negative: against it"))
        self._name.currentTextChanged.connect(self.changed)
        self._weight.valueChanged.connect(self.changed)
        cross = quiet_tool("x", self.tr("Take this LoRA away"))
        cross.clicked.connect(self.removed)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING // 2)
        row.addWidget(self._name, 1)
        row.addWidget(self._weight)
        row.addWidget(cross)
        self.setFocusProxy(self._name)

    def wanted(self) -> Wanted:
        return Wanted(self._name.currentText().strip(), float(self._weight.number()))


def _dropped(event: QDropEvent) -> list[Path]:
    paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
    return [path for path in paths if path.suffix.lower() == ".safetensors"]
