"""The rows of a form: for each kind of field a label, a control, and what is wrong with it."""

from __future__ import annotations

import math
import textwrap
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from engine.checks import coerce
from engine.errors import InvalidTask
from engine.task import Field
from studio.theme import SPACING, set_role
from studio.widgets.number_box import NumberBox, only_when_focused, round_step
from studio.widgets.offer_button import OfferButton
from studio.widgets.seed_edit import SeedEdit

PATH_KINDS = ("model", "file", "folder")
_MOST_SLIDER_STEPS = 2000


class FieldEditor(QWidget):
    """One row. Subclasses build the control and say how to read and show a value."""

    changed = Signal()
    offer_taken = Signal()

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = field
        self.label = QLabel(field.param.label)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self._problem = QLabel()
        self._problem.setTextFormat(Qt.TextFormat.PlainText)
        self._problem.setWordWrap(True)
        self._problem.hide()
        set_role(self._problem, "problem")
        self._note = QLabel()
        self._note.setTextFormat(Qt.TextFormat.PlainText)
        self._note.setWordWrap(True)
        self._note.hide()
        self._offer: OfferButton | None = None
        self.head = QHBoxLayout()
        self.head.setSpacing(SPACING)
        self.head.addWidget(self.label, 1)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(SPACING // 2)
        self.column.addLayout(self.head)
        self.setToolTip(textwrap.fill(field.param.help, 60))

    def value(self) -> Any:
        raise NotImplementedError

    def show_value(self, value: Any) -> None:
        """Show a value that fits the field."""
        raise NotImplementedError

    def commit(self) -> None:
        """Finish what is being typed."""

    def check(self, value: Any) -> Any:
        """`value` as the field's type; raises InvalidTask for what cannot be used here."""
        value = coerce(self.field, value)
        if self.field.param.kind in PATH_KINDS and value:
            self._check_path(value)
        return value

    def show_error(self, message: str) -> None:
        """Say under the control what is wrong; an empty message takes it away."""
        self._problem.setText(message)
        self._problem.setVisible(bool(message))
        self._control.setProperty("invalid", bool(message))
        self._control.style().polish(self._control)

    def show_note(self, text: str, warns: bool = False) -> None:
        """Say something about the value under the control, which can be used all the same."""
        set_role(self._note, "problem" if warns else "caption")
        self._note.setText(text)
        self._note.setVisible(bool(text))

    def note(self) -> str:
        return self._note.text()

    def offer(self) -> str:
        return self._offer.text() if self._offer else ""

    def show_offer(self, text: str, tooltip: str = "") -> None:
        """A button under the note, for what a person may want because of it; empty: none."""
        if self._offer is None:
            if not text:
                return
            self._offer = OfferButton(self.offer_taken)
            self.column.insertWidget(self.column.indexOf(self._note) + 1, self._offer)
        self._offer.say(text, tooltip)

    def _adopt(self, control: QWidget) -> None:
        """Name the control that a person uses, for the keyboard and for screen readers."""
        control.setAccessibleName(self.field.param.label)
        control.setAccessibleDescription(self.field.param.help)
        self._control = control
        self.label.setBuddy(control)
        self.setFocusProxy(control)
        self.column.addWidget(self._note)
        self.column.addWidget(self._problem)

    def _edited(self) -> None:
        self.show_error("")
        self.changed.emit()

    def _check_path(self, value: str) -> None:
        param = self.field.param
        if value in param.options() or Path(value).expanduser().exists():
            return
        raise InvalidTask(
            self.field.name,
            self.tr("{label}: there is nothing at {path}.").format(label=param.label, path=value),
            self.tr("Check the path, or choose another one."),
        )


class TextEditor(FieldEditor):
    """A short text on one line."""

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        self._line = QLineEdit()
        self._line.textChanged.connect(self._edited)
        self.column.addWidget(self._line)
        self._adopt(self._line)

    def value(self) -> str:
        return self._line.text()

    def show_value(self, value: str) -> None:
        if value != self._line.text():
            self._line.setText(value)


class LongTextEditor(FieldEditor):
    """Several lines of text."""

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        self._text = QPlainTextEdit()
        self._text.setTabChangesFocus(True)
        self._text.setFixedHeight(self._text.fontMetrics().lineSpacing() * 4 + 2 * SPACING)
        self._text.textChanged.connect(self._edited)
        self.column.addWidget(self._text)
        self._adopt(self._text)

    def value(self) -> str:
        return self._text.toPlainText()

    def show_value(self, value: str) -> None:
        if value != self._text.toPlainText():
            self._text.setPlainText(value)


class SwitchEditor(FieldEditor):
    """Yes or no."""

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        self.label.hide()
        self._box = QCheckBox(field.param.label.replace("&", "&&"))
        self._box.toggled.connect(self._edited)
        self.column.addWidget(self._box)
        self._adopt(self._box)

    def value(self) -> bool:
        return self._box.isChecked()

    def show_value(self, value: bool) -> None:
        self._box.setChecked(value)


class NumberEditor(FieldEditor):
    """A number in a box beside its label and, where the range allows, a slider under both."""

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        param = field.param
        self._box = NumberBox(
            whole=field.type is int,
            minimum=param.minimum,
            maximum=param.maximum,
            multiple_of=param.multiple_of,
        )
        if param.unit:
            self._box.setSuffix(f" {param.unit}")
        if param.zero and param.minimum == 0:
            self._box.setSpecialValueText(param.zero)
        self._box.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._box.valueChanged.connect(self._typed)
        self.head.addWidget(self._box)
        self._slider = self._new_slider()
        self._adopt(self._box)

    def value(self) -> int | float:
        return self._box.number()

    def show_value(self, value: int | float) -> None:
        self._box.setValue(value)

    def commit(self) -> None:
        self._box.interpretText()

    def _new_slider(self) -> QSlider | None:
        low, high = self._box.minimum(), self._box.maximum()
        param = self.field.param
        if param.minimum is None or param.maximum is None or high <= low:
            return None
        self._slider_step = float(param.multiple_of or 1)
        if self.field.type is float:
            self._slider_step = round_step((high - low) / 100)
        steps = math.floor((high - low) / self._slider_step + 1e-9)
        if steps > _MOST_SLIDER_STEPS or (low > 0 and high / low > 5000):
            return None  # a hand could not choose a value on it
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(0, steps)
        slider.setPageStep(max(1, steps // 10))
        only_when_focused(slider)
        slider.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # the keyboard has the box
        slider.setAccessibleName(param.label)
        slider.valueChanged.connect(self._slid)
        self.column.addWidget(slider)
        return slider

    def _typed(self) -> None:
        if self._slider is not None:
            place = (self._box.value() - self._box.minimum()) / self._slider_step
            with QSignalBlocker(self._slider):
                self._slider.setValue(round(place))
        self._edited()

    def _slid(self, place: int) -> None:
        self._box.setValue(round(self._box.minimum() + place * self._slider_step, 10))


class SeedEditor(FieldEditor):
    """The seed with its dice and lock."""

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        self.seed = SeedEdit()
        self.seed.changed.connect(self._edited)
        self.column.addWidget(self.seed)
        self._adopt(self.seed.box)

    def value(self) -> int:
        return self.seed.value()

    def show_value(self, value: int) -> None:
        self.seed.set_value(value)

    def commit(self) -> None:
        self.seed.box.interpretText()
