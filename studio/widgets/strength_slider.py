"""How much of what is on the canvas is drawn anew: from a touch of it to all."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QWidget

from studio.theme import SPACING, set_role
from studio.widgets.number_box import NumberBox, only_when_focused

LEAST, MOST = 5, 100  # percent


class StrengthSlider(QWidget):
    """100 % draws something new; less keeps that much of what is there."""

    changed = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
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
        self._box.setFixedWidth(self._box.fontMetrics().horizontalAdvance("000 %") + 3 * SPACING)
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
        self.set_value(MOST / 100)

    def value(self) -> float:
        return self._box.number() / 100

    def set_value(self, value: float) -> None:
        self._box.setValue(round(value * 100))

    def _follow(self) -> None:
        self._slider.setValue(round(self._box.number()))
        self.changed.emit(self.value())
