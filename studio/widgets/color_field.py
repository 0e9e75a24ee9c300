"""Choosing a colour by eye: a square of saturation and brightness, and a stripe of hues."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QLinearGradient,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from studio import theme

STEP = 0.01  # of the whole, for an arrow key; ten times that with Shift
KNOB = theme.SPACING * 3 / 4  # radius


class _Field(QWidget):
    """A place to press, drag and step in; both axes run from 0 to 1."""

    moved = Signal(float, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def place(self) -> QPointF:
        """Where the knob is, each axis from 0 to 1."""
        raise NotImplementedError

    def fill(self, painter: QPainter, area: QRectF) -> None:
        raise NotImplementedError

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._move_to(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons():
            self._move_to(event.position())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = STEP * (10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)
        by = {
            Qt.Key.Key_Left: QPointF(-step, 0),
            Qt.Key.Key_Right: QPointF(step, 0),
            Qt.Key.Key_Up: QPointF(0, -step),
            Qt.Key.Key_Down: QPointF(0, step),
        }.get(Qt.Key(event.key()))
        if by is None:
            super().keyPressEvent(event)
            return
        self._say(self.place() + by)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colors = theme.colors()
        outline = QPainterPath()
        outline.addRoundedRect(self._area(), theme.SPACING / 2, theme.SPACING / 2)
        painter.setClipPath(outline)
        self.fill(painter, self._area())
        painter.setClipping(False)
        painter.setPen(QPen(colors.accent_text if self.hasFocus() else colors.border, 1))
        painter.drawPath(outline)
        self._paint_knob(painter)

    def _paint_knob(self, painter: QPainter) -> None:
        area, place = self._area(), self.place()
        center = QPointF(
            area.left() + place.x() * area.width(), area.top() + place.y() * area.height()
        )
        for color, width in ((Qt.GlobalColor.black, 3.5), (Qt.GlobalColor.white, 2.0)):
            painter.setPen(QPen(QColor(color), width))
            painter.drawEllipse(center, KNOB, KNOB)

    def _area(self) -> QRectF:
        """Inside a margin, so that the knob is whole in every corner."""
        margin = KNOB + 2
        return QRectF(self.rect()).adjusted(margin, margin, -margin, -margin)

    def _move_to(self, position: QPointF) -> None:
        area = self._area()
        x = (position.x() - area.left()) / max(area.width(), 1)
        self._say(QPointF(x, (position.y() - area.top()) / max(area.height(), 1)))

    def _say(self, place: QPointF) -> None:
        self.moved.emit(min(max(place.x(), 0.0), 1.0), min(max(place.y(), 0.0), 1.0))


class ShadeField(_Field):
    """Saturation from left to right, brightness from bottom to top."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Saturation and brightness"))
        self.setToolTip(self.tr("How strong the colour is, across, and how bright, upwards"))
        self.hue, self.saturation, self.brightness = 0.0, 0.0, 0.0

    def sizeHint(self) -> QSize:
        return QSize(28 * theme.SPACING, 18 * theme.SPACING)

    def place(self) -> QPointF:
        return QPointF(self.saturation, 1 - self.brightness)

    def fill(self, painter: QPainter, area: QRectF) -> None:
        across = QLinearGradient(area.topLeft(), area.topRight())
        across.setColorAt(0, QColor(Qt.GlobalColor.white))
        across.setColorAt(1, QColor.fromHsvF(self.hue, 1, 1))
        painter.fillRect(area, across)
        down = QLinearGradient(area.topLeft(), area.bottomLeft())
        down.setColorAt(0, QColor(Qt.GlobalColor.transparent))
        down.setColorAt(1, QColor(Qt.GlobalColor.black))
        painter.fillRect(area, down)


class HueStripe(_Field):
    """All hues in a row."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Hue"))
        self.setToolTip(self.tr("Which colour of the rainbow"))
        self.hue = 0.0

    def sizeHint(self) -> QSize:
        return QSize(28 * theme.SPACING, 4 * theme.SPACING)

    def place(self) -> QPointF:
        return QPointF(self.hue, 0.5)

    def fill(self, painter: QPainter, area: QRectF) -> None:
        rainbow = QLinearGradient(area.topLeft(), area.topRight())
        for sixth in range(7):
            rainbow.setColorAt(sixth / 6, QColor.fromHsvF(sixth % 6 / 6, 1, 1))
        painter.fillRect(area, rainbow)
