"""A row of chips, each with a cross to take it away; it goes on in the next line as words do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QLayout, QPushButton, QWidget

from studio import theme
from studio.widgets.flow_layout import FlowLayout

MOST_SHOWN = 40  # characters
CROSS = QSize(12, 12)


@dataclass(frozen=True)
class Chip:
    text: str
    tip: str
    problem: bool = False


class ChipRow(QWidget):
    """Hidden while it is empty; `removed` tells the place of a chip whose cross was pressed."""

    removed = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._row = FlowLayout(self, gap=theme.SPACING // 2)
        self.hide()

    def show_chips(self, chips: Sequence[Chip]) -> None:
        remove_widgets(self._row)
        for place, chip in enumerate(chips):
            self._row.addWidget(self._button(place, chip))
        self.setVisible(bool(chips))
        self.updateGeometry()

    def _button(self, place: int, chip: Chip) -> QPushButton:
        text = chip.text if len(chip.text) <= MOST_SHOWN else chip.text[:MOST_SHOWN] + "…"
        button = QPushButton(text.replace("&", "&&"))
        button.setIcon(theme.icon("x", "danger" if chip.problem else "muted"))
        button.setIconSize(CROSS)
        button.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # the cross comes last
        button.setToolTip(chip.tip)
        button.setAccessibleName(f"{text}: {chip.tip}")
        theme.set_role(button, "chip-problem" if chip.problem else "chip")
        button.clicked.connect(lambda: self.removed.emit(place))
        return button


def remove_widgets(layout: QLayout) -> None:
    """Take all widgets of a layout away, for others to come."""
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
