"""The colour to paint with over the one behind it, with a way to swap them and to begin afresh."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QWidget

from studio import theme
from studio.canvas.tools.paint_colors import PaintColors
from studio.theme import SPACING
from studio.widgets.color_picker import ColorPicker, Swatch

SIDE = 3 * SPACING
SHIFT = SPACING * 3 // 2  # of the background against the foreground
SMALL = 2 * SPACING  # a button under them


class ColorPair(QWidget):
    """A click on a colour opens the picker; what is chosen there is used at once."""

    def __init__(self, colors: PaintColors, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colors = colors
        self.setFixedSize(SIDE + SHIFT, SIDE + SHIFT + SPACING // 2 + SMALL)
        self.picker = ColorPicker(self)
        self.picker.chosen.connect(self._choose)
        self.picker.closed.connect(lambda: colors.remember(self.picker.color))
        self._chooses = "foreground"
        self._background = self._swatch("background", QPoint(SHIFT, SHIFT))
        self._foreground = self._swatch("foreground", QPoint(0, 0))
        self._button("arrow-left-right", self.tr("Swap the colours (X)"), 0).clicked.connect(
            colors.swap
        )
        self._button("contrast", self.tr("Black and white (D)"), 1).clicked.connect(colors.reset)
        colors.changed.connect(self._refresh)
        self._refresh()

    def open_picker(self, which: str = "foreground") -> None:
        """Let the person choose the foreground or the background."""
        self._chooses = which
        corner = self.mapToGlobal(QPoint(self.width() + SPACING, self.height() // 2))
        corner.setY(corner.y() - self.picker.sizeHint().height())
        self.picker.open(getattr(self._colors, which), self._colors.recent, corner)

    def _choose(self, color: QColor) -> None:
        setattr(self._colors, self._chooses, color)

    def _swatch(self, which: str, place: QPoint) -> Swatch:
        swatch = Swatch(QColor(), SIDE, self)
        swatch.setFixedSize(SIDE, SIDE)
        swatch.move(place)
        swatch.clicked.connect(lambda: self.open_picker(which))
        return swatch

    def _button(self, name: str, text: str, place: int) -> QAbstractButton:
        button = SmallButton(name, self)
        button.setGeometry(place * (self.width() - SMALL), self.height() - SMALL, SMALL, SMALL)
        button.setToolTip(text)
        button.setAccessibleName(text)
        return button

    def _refresh(self) -> None:
        for swatch, color, text in (
            (self._foreground, self._colors.foreground, self.tr("Foreground colour")),
            (self._background, self._colors.background, self.tr("Background colour")),
        ):
            swatch.set_color(color)
            swatch.setToolTip(f"{text} ({color.name()})")
            swatch.setAccessibleName(f"{text} {color.name()}")


class SmallButton(QAbstractButton):
    """A bare icon, for where a button of the style has no room."""

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._name = name
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colors, lit = theme.colors(), self.underMouse()
        painter.setPen(colors.accent_text if self.hasFocus() else Qt.PenStyle.NoPen)
        painter.setBrush(colors.hover if lit else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        margin = SPACING // 4
        place = self.rect().adjusted(margin, margin, -margin, -margin)
        theme.icon(self._name, "text" if lit else "muted").paint(painter, place)
