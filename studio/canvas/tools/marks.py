"""Marks over the canvas that are seen on any picture: rings, dashed frames, handles."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from studio import theme

HANDLE = 9.0  # logical pixels across
DARK, LIGHT = QColor(Qt.GlobalColor.black), QColor(Qt.GlobalColor.white)


def paint_contrast(painter: QPainter, draw: Callable[[], object], *, dashed: bool = False) -> None:
    """Draw lines light upon dark, so that they are seen on both."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    dark = QColor(DARK)
    dark.setAlpha(160)
    painter.setPen(QPen(dark, 1.0 if dashed else 2.5))
    draw()
    pen = QPen(LIGHT, 1.0)
    if dashed:
        pen.setDashPattern([4, 4])
    painter.setPen(pen)
    draw()
    painter.restore()


def paint_handles(painter: QPainter, places: Iterable[QPointF]) -> None:
    """Small squares to be dragged."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(theme.colors().accent, 1.5))
    painter.setBrush(LIGHT)
    for place in places:
        square = QRectF(0, 0, HANDLE, HANDLE)
        square.moveCenter(place)
        painter.drawRoundedRect(square, 2, 2)
    painter.restore()


def paint_label(painter: QPainter, corner: QPointF, text: str) -> None:
    """A few words in a small box whose top left corner is at `corner`."""
    colors, gap = theme.colors(), theme.SPACING
    box = QRectF(painter.fontMetrics().boundingRect(text)).adjusted(-gap, -gap / 2, gap, gap / 2)
    box.moveTopLeft(corner)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(colors.border)
    painter.setBrush(colors.raised)
    painter.drawRoundedRect(box, gap / 2, gap / 2)
    painter.setPen(colors.text)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
    painter.restore()
