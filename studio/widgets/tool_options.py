"""The bar over the canvas: the options of the tool in the hand, built from their declarations."""

from __future__ import annotations

import math
import textwrap
from typing import Any

from PySide6.QtCore import QMargins, QSignalBlocker, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSlider,
    QWidget,
)

from studio.canvas.tools.option import Option, options_of
from studio.canvas.tools.tool import Tool
from studio.canvas.tools.tool_box import ToolBox
from studio.theme import SPACING, icon, set_role
from studio.widgets.flow_layout import FlowLayout
from studio.widgets.number_box import NumberBox, only_when_focused

SLIDER_STEPS = 200
SLIDER_WIDTH = 8 * SPACING
LOGARITHMIC_FROM = 200
"""Ranges this wide get a slider on which every doubling is as long."""


class ToolOptions(QFrame):
    """Follows the tool box; a change here is a change of the tool, and the other way round."""

    def __init__(self, box: ToolBox, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "desk")
        self._flow = FlowLayout(self)
        self._flow.setContentsMargins(SPACING, SPACING // 2, SPACING, SPACING // 2)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName(self.tr("Tool options"))
        self._pages: dict[str, list[QWidget]] = {}
        box.chosen.connect(self.show_tool)
        self.show_tool(box.current)

    def show_tool(self, tool: Tool) -> None:
        if tool.id not in self._pages:
            self._pages[tool.id] = self._build(tool)
        for id, row in self._pages.items():
            for widget in row:
                widget.setVisible(id == tool.id)

    def _build(self, tool: Tool) -> list[QWidget]:
        row = [_Heading(tool), *(_control(tool, option) for option in options_of(type(tool)))]
        if len(row) == 1:
            row.append(_words(tool.help))
        for widget in row:
            self._flow.addWidget(widget)
        return row


class _Heading(QWidget):
    """Which tool it is, by picture and name; as high as any option, so that the canvas stays."""

    def __init__(self, tool: Tool) -> None:
        super().__init__()
        side = 2 * SPACING
        picture, name = QLabel(), QLabel(self.tr(tool.title))
        picture.setPixmap(icon(tool.icon, "muted").pixmap(QSize(side, side)))
        set_role(name, "heading")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING)
        row.addWidget(picture)
        row.addWidget(name)
        self._strut = NumberBox(whole=True, minimum=0, maximum=1)
        self._strut.setParent(self)
        self._strut.hide()
        self.setToolTip(textwrap.fill(tool.help, 60))

    def sizeHint(self) -> QSize:
        return super().sizeHint().expandedTo(QSize(0, self._strut.sizeHint().height()))

    def minimumSizeHint(self) -> QSize:
        return super().minimumSizeHint().expandedTo(QSize(0, self._strut.sizeHint().height()))


def _words(text: str) -> QLabel:
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    set_role(label, "caption")
    return label


def _control(tool: Tool, option: Option[Any]) -> QWidget:
    if isinstance(option.default, bool):
        return OptionSwitch(tool, option)
    if isinstance(option.default, str):
        return OptionChoice(tool, option)
    return OptionNumber(tool, option)


class OptionControl(QWidget):
    """One option; subclasses show a value and say when the person changes it."""

    def __init__(self, tool: Tool, option: Option[Any]) -> None:
        super().__init__()
        self._tool, self._option = tool, option
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(0, 0, 0, 0)
        self.row.setSpacing(SPACING)
        self.setToolTip(textwrap.fill(option.help, 60))
        tool.option_changed.connect(self._follow)

    def show_value(self, value: Any) -> None:
        raise NotImplementedError

    def _follow(self, name: str) -> None:
        if name == self._option.name:
            self.show_value(getattr(self._tool, name))

    def _set(self, value: Any) -> None:
        setattr(self._tool, self._option.name, value)

    def _adopt(self, control: QWidget) -> None:
        control.setAccessibleName(self._option.label)
        control.setAccessibleDescription(self._option.help)
        self.setFocusProxy(control)
        self.show_value(getattr(self._tool, self._option.name))


class OptionSwitch(OptionControl):
    """Yes or no."""

    def __init__(self, tool: Tool, option: Option[Any]) -> None:
        super().__init__(tool, option)
        self.check = QCheckBox(self.tr(option.label))
        self.row.addWidget(self.check)
        self._adopt(self.check)
        self.check.toggled.connect(self._set)

    def show_value(self, value: bool) -> None:
        self.check.setChecked(value)


class OptionChoice(OptionControl):
    """One of several words."""

    def __init__(self, tool: Tool, option: Option[Any]) -> None:
        super().__init__(tool, option)
        self.combo = QComboBox()
        for choice in option.choices:
            self.combo.addItem(self.tr(choice.capitalize()), choice)
        only_when_focused(self.combo)
        label = _words(self.tr(option.label))
        label.setBuddy(self.combo)
        self.row.addWidget(label)
        self.row.addWidget(self.combo)
        self._adopt(self.combo)
        self.combo.currentIndexChanged.connect(lambda: self._set(self.combo.currentData()))

    def show_value(self, value: str) -> None:
        self.combo.setCurrentIndex(self.combo.findData(value))


class OptionNumber(OptionControl):
    """A number in a box, with a short slider for the eye and the hand."""

    def __init__(self, tool: Tool, option: Option[Any]) -> None:
        super().__init__(tool, option)
        whole = isinstance(option.default, int)
        self.box = NumberBox(whole=whole, minimum=option.minimum, maximum=option.maximum)
        if option.unit:
            self.box.setSuffix(f" {option.unit}")
        self.box.make_room_for("0000 px")
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, SLIDER_STEPS)
        self.slider.setFixedWidth(SLIDER_WIDTH)
        self.slider.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # the keyboard has the box
        self.slider.setAccessibleName(option.label)
        self._label = _words(self.tr(option.label))
        self._label.setBuddy(self.box)
        for widget in (self._label, self.slider, self.box):
            self.row.addWidget(widget)
        self._adopt(self.box)
        self.box.valueChanged.connect(lambda: self._set(self.box.number()))
        self.slider.valueChanged.connect(lambda place: self._set(self._number_at(place)))

    def sizeHint(self) -> QSize:
        """With the slider, whether it is shown or not, so that a layout can foresee it."""
        return self.minimumSizeHint().grownBy(QMargins(0, 0, SLIDER_WIDTH + SPACING, 0))

    def minimumSizeHint(self) -> QSize:
        label, box = self._label.sizeHint(), self.box.sizeHint()
        width = label.width() + SPACING + self.box.width()
        return QSize(width, max(label.height(), box.height()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.slider.setVisible(self.width() >= self.sizeHint().width())

    def show_value(self, value: float) -> None:
        with QSignalBlocker(self.box), QSignalBlocker(self.slider):
            self.box.setValue(value)
            if round(self._number_at(self.slider.value())) != round(value):
                self.slider.setValue(self._place_of(value))

    def _number_at(self, place: int) -> float:
        low, high = self._option.minimum, self._option.maximum
        part = place / SLIDER_STEPS
        if high - low < LOGARITHMIC_FROM:
            number = low + part * (high - low)
        else:
            number = math.exp(part * math.log(high - low + 1)) - 1 + low
        return round(number) if isinstance(self._option.default, int) else number

    def _place_of(self, number: float) -> int:
        low, high = self._option.minimum, self._option.maximum
        if high - low < LOGARITHMIC_FROM:
            return round((number - low) / (high - low) * SLIDER_STEPS)
        return round(math.log(number - low + 1) / math.log(high - low + 1) * SLIDER_STEPS)
