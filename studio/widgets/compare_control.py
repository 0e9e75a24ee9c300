"""Before and after side by side: a button that turns it on, a slider that moves the line."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QToolButton, QWidget

from studio.theme import SPACING, icon, set_role

STEPS = 1000


class CompareControl(QWidget):
    """`changed` gives the place of the line, 0 to 1 of the width, or None while it is off."""

    changed = Signal(object)

    def __init__(self, parent: QWidget | None = None, *, compact: bool = False) -> None:
        """`compact`: the button alone, where the line itself can be dragged."""
        super().__init__(parent)
        self._compact = compact
        self.button = QToolButton()
        self.button.setCheckable(True)
        self.button.setIcon(icon("square-split-horizontal"))
        self.button.setIconSize(QSize(2 * SPACING, 2 * SPACING))
        self.button.setToolTip(self.tr("Compare with what was there before"))
        self.button.setAccessibleName(self.tr("Compare before and after"))
        set_role(self.button, "quiet")
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, STEPS)
        self.slider.setValue(STEPS // 2)
        self.slider.setPageStep(STEPS // 10)
        self.slider.setSingleStep(STEPS // 100)
        self.slider.setMinimumWidth(12 * SPACING)
        self.slider.setAccessibleName(self.tr("Where before ends and after begins"))
        self.slider.setToolTip(self.slider.accessibleName())
        self._before, self._after = QLabel(self.tr("Before")), QLabel(self.tr("After"))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING)
        for label in (self._before, self._after):
            set_role(label, "caption")
        for widget in (self.button, self._before, self.slider, self._after):
            row.addWidget(widget)
        self.button.toggled.connect(self._show)
        self.slider.valueChanged.connect(self._say)
        self._show(False)

    def place(self) -> float | None:
        return self.slider.value() / STEPS if self.button.isChecked() else None

    def set_place(self, place: float | None) -> None:
        """Move the line, as when it is dragged on the canvas; None turns it off."""
        self.button.setChecked(place is not None)
        if place is not None:
            self.slider.setValue(round(min(max(place, 0.0), 1.0) * STEPS))

    def _show(self, on: bool) -> None:
        for widget in (self._before, self.slider, self._after):
            widget.setVisible(on and not self._compact)
        self._say()

    def _say(self) -> None:
        self.changed.emit(self.place())
