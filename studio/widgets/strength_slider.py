"""How much of what is on the canvas is drawn anew: from a touch of it to all."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QWidget

from studio.theme import SPACING, set_role
from studio.widgets.number_box import NumberBox, only_when_focused

LEAST, MOST = 5, 100  # percent


class StrengthSlider(QWidget):
    """100 % draws something new; less keeps that much of what is there.

    Every change, by hand or by `set_value`, can be taken back through `undo_stack`.
    """

    changed = Signal(float)

    def __init__(self, undo_stack: QUndoStack, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._undo_stack = undo_stack
        self._shown = MOST / 100
        self._restoring = False
        label = QLabel(self.tr("Strength"))
        set_role(label, "caption")
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setRange(LEAST, MOST)
        self._slider.setPageStep(10)
        self._slider.setFixedWidth(14 * SPACING)
        self._slider.setAccessibleName(self.tr("Strength"))
        only_when_focused(self._slider)
        self._slider.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # the keyboard has the box
        self._box = NumberBox(whole=True, minimum=LEAST, maximum=MOST)
        self._box.setSuffix(" %")
        self._box.make_room_for("000 %")
        self._box.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._box.setAccessibleName(self.tr("Strength"))
        label.setBuddy(self._box)
        self.setToolTip(
            self.tr(
                "How much is drawn anew: 100 % makes a new picture, 60 % keeps the outlines, "
                "20 % changes the details."
            )
        )
        self._slider.valueChanged.connect(lambda percent: self._box.setValue(percent))
        self._box.valueChanged.connect(self._follow)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING)
        for widget in (label, self._slider, self._box):
            row.addWidget(widget)
        self.show_value(self._shown)

    def value(self) -> float:
        return self._box.number() / 100

    def set_value(self, value: float) -> None:
        self._box.setValue(round(value * 100))

    def show_value(self, value: float) -> None:
        """Show it, and make no step of undo of it."""
        self._restoring = True
        self.set_value(value)
        self._restoring = False

    def _follow(self) -> None:
        self._slider.setValue(round(self._box.number()))
        before, self._shown = self._shown, self.value()
        if not self._restoring:
            self._undo_stack.push(_Change(self, before, self._shown))
        self.changed.emit(self._shown)


class _Change(QUndoCommand):
    """From one strength to another; changes in a row, as of a drag, become one."""

    def __init__(self, slider: StrengthSlider, before: float, after: float) -> None:
        super().__init__(slider.tr("change of Strength"))
        self._slider = slider
        self._before, self._after = before, after

    def undo(self) -> None:
        self._slider.show_value(self._before)

    def redo(self) -> None:
        self._slider.show_value(self._after)

    def id(self) -> int:
        return 1

    def mergeWith(self, newer: QUndoCommand) -> bool:
        if not isinstance(newer, _Change) or newer._slider is not self._slider:
            return False
        self._after = newer._after
        return True
