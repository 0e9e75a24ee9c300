"""The tools at the left of the canvas, one checked, and the two colours under them."""

from __future__ import annotations

import math

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QGridLayout,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from studio.canvas.tools.tool import Tool
from studio.canvas.tools.tool_box import ToolBox
from studio.theme import SPACING, icon, set_role
from studio.widgets.color_pair import ColorPair

ICON = 9 * SPACING // 4
MOST_COLUMNS = 3


class ToolBar(QFrame):
    """Follows the tool box and takes tools from it; where it is not high enough, in columns."""

    def __init__(self, box: ToolBox, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "desk")
        self.setAccessibleName(self.tr("Tools"))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self._box = box
        self._group = QButtonGroup(self)
        self.buttons = {tool.id: self._button(tool) for tool in box.tools}
        self.colors = ColorPair(box.colors)
        self._columns = 0
        self._grid = QGridLayout()
        self._grid.setSpacing(SPACING // 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACING // 2, SPACING // 2, SPACING // 2, SPACING)
        column.setSpacing(SPACING)
        column.addLayout(self._grid)
        column.addWidget(self.colors, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        self._arrange(1)
        box.chosen.connect(self._show)
        self._show(box.current)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        fitting = (n for n in range(1, MOST_COLUMNS) if self._height_of(n) <= self.height())
        self._arrange(next(fitting, MOST_COLUMNS))

    def minimumSizeHint(self) -> QSize:
        return QSize(super().minimumSizeHint().width(), self._height_of(MOST_COLUMNS))

    def _height_of(self, columns: int) -> int:
        button = next(iter(self.buttons.values())).sizeHint().height()
        rows = math.ceil(len(self.buttons) / columns)
        tools = rows * (button + self._grid.spacing()) - self._grid.spacing()
        return tools + self.colors.height() + SPACING * 5 // 2

    def _arrange(self, columns: int) -> None:
        if columns == self._columns:
            return
        self._columns = columns
        for place, button in enumerate(self.buttons.values()):
            self._grid.addWidget(button, place // columns, place % columns)

    def _button(self, tool: Tool) -> QToolButton:
        button = QToolButton()
        button.setCheckable(True)
        button.setIcon(icon(tool.icon))
        button.setIconSize(QSize(ICON, ICON))
        title = self.tr(tool.title)
        button.setToolTip(f"<b>{title}</b> ({tool.shortcut})<br>{self.tr(tool.help)}")
        button.setAccessibleName(title)
        button.setAccessibleDescription(tool.help)
        set_role(button, "quiet")
        button.clicked.connect(lambda: self._box.choose(tool.id))
        self._group.addButton(button)
        return button

    def _show(self, tool: Tool) -> None:
        self.buttons[tool.id].setChecked(True)
