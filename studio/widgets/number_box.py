"""A box for one number: whole ones up to 2^53, or decimals, typed alike in every country."""

from __future__ import annotations

import math
import re

from PySide6.QtCore import QEvent, QLocale, QObject, QSize, Qt
from PySide6.QtGui import QResizeEvent, QValidator
from PySide6.QtWidgets import QAbstractSpinBox, QDoubleSpinBox, QLineEdit, QWidget

from studio.theme import SPACING

_BEGUN = re.compile(r"[-+]?\d*(\.\d*)?(e[-+]?\d*)?", re.IGNORECASE)
_BEGUN_WHOLE = re.compile(r"[-+]?\d*")
_LIMIT = float(2**53)
"""Whole numbers beyond this cannot be told apart in a double."""


class NumberBox(QDoubleSpinBox):
    """A spin box that counts to 2^53, reads 1e-4 and 0,5, and never shows group separators.

    A number outside the range, or between two multiples, is moved to the nearest allowed one when
    the box is left.
    """

    def __init__(
        self,
        *,
        whole: bool,
        minimum: float | None = None,
        maximum: float | None = None,
        multiple_of: int | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._longest = ""
        self._whole = whole
        self._multiple_of = multiple_of if whole else None
        self.setLocale(QLocale.c())
        self.setDecimals(0 if whole else 12)
        low = -_LIMIT if minimum is None else minimum
        high = _LIMIT if maximum is None else maximum
        if self._multiple_of:
            low = math.ceil(low / self._multiple_of) * self._multiple_of
            high = math.floor(high / self._multiple_of) * self._multiple_of
        self.setRange(low, high)
        self._set_step()
        self.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
        self.setCorrectionMode(QAbstractSpinBox.CorrectionMode.CorrectToPreviousValue)
        only_when_focused(self)

    def sizeHint(self) -> QSize:
        """Alike for all, so that boxes under each other line up; it grows with the text."""
        return QSize(self.fontMetrics().averageCharWidth() * 14, super().sizeHint().height())

    def make_room_for(self, longest: str) -> None:
        """From now on just as wide as this text needs, also when text is made larger."""
        self._longest = longest
        self._fit()

    def number(self) -> int | float:
        return round(self.value()) if self._whole else self.value()

    def textFromValue(self, value: float) -> str:
        return str(round(value)) if self._whole else f"{value:.10g}"

    def valueFromText(self, text: str) -> float:
        number = self._read(text)
        return self.value() if number is None else number

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        if self.specialValueText() and text == self.specialValueText():
            return QValidator.State.Acceptable, text, position
        plain = self._plain(text)
        begun = _BEGUN_WHOLE if self._whole else _BEGUN
        if not begun.fullmatch(plain) or (plain.startswith("-") and self.minimum() >= 0):
            return QValidator.State.Invalid, text, position
        number = self._read(text)
        if number is None or number != self._nearest(number):
            return QValidator.State.Intermediate, text, position
        return QValidator.State.Acceptable, text, position

    def fixup(self, text: str) -> str:
        number = self._read(text)
        allowed = self.value() if number is None else self._nearest(number)
        return self.prefix() + self.textFromValue(allowed) + self.suffix()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_text()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()
        self._place_text()

    def _fit(self) -> None:
        if self._longest:
            text = self.fontMetrics().horizontalAdvance(self._longest)
            self.setFixedWidth(text + 3 * SPACING)

    def _place_text(self) -> None:
        """Qt 6.11 leaves the text one pixel of width where a style sheet draws the border."""
        self.lineEdit().setGeometry(self.rect().adjusted(1, 1, -1, -1))
        indent_text(self)

    def _set_step(self) -> None:
        span = self.maximum() - self.minimum()
        if self._multiple_of:
            self.setSingleStep(self._multiple_of)
        elif span > 1000 or (not self._whole and span < 0.1):
            self.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)
        else:
            self.setSingleStep(1 if self._whole else round_step(span / 40))

    def _plain(self, text: str) -> str:
        text = text.removeprefix(self.prefix()).removesuffix(self.suffix())
        return text.strip().replace(",", ".")

    def _read(self, text: str) -> float | None:
        try:
            number = float(self._plain(text))
        except ValueError:
            return None
        return number if math.isfinite(number) else None

    def _nearest(self, number: float) -> float:
        if self._multiple_of:
            number = round(number / self._multiple_of) * self._multiple_of
        return min(max(number, self.minimum()), self.maximum())


def round_step(step: float) -> float:
    """The nearest of 1, 2, 5, 10, 20, … (or 0.1, 0.2, …) that is not larger than `step`."""
    power = 10.0 ** math.floor(math.log10(step))
    digit = max(d for d in (1, 2, 5) if d * power <= step * 1.000001)
    return float(f"{digit * power:.6g}")


def indent_text(box: QAbstractSpinBox) -> None:
    """Keep the number off the border: inside a spin box a style sheet's padding is not heeded."""
    line = box.findChild(QLineEdit)
    if line is not None:
        line.setTextMargins(SPACING - 3, 0, SPACING - 3, 0)


class _WheelGate(QObject):
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        wheel = event.type() == QEvent.Type.Wheel
        if wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()  # so that the form behind it scrolls
            return True
        return False


def only_when_focused(control: QWidget) -> None:
    """Let the wheel change `control` only while it has the focus; else the form scrolls."""
    control.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    control.installEventFilter(_WheelGate(control))
