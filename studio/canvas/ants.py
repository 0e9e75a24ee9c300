"""Marching ants: the line around a selection, visible on any colour, in motion."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QBrush, QImage, QPainter, QPainterPath, QPen, QTransform

STRIPE = 4  # logical pixels
INTERVAL = 120  # milliseconds between two steps


def paint_ants(painter: QPainter, path: QPainterPath, transform: QTransform, step: int) -> None:
    """Black and white stripes along `path`, which `transform` maps into the view.

    The stripes belong to the screen and not to the line, so that a ragged edge costs no dashes.
    """
    brush = QBrush(_stripes())
    brush.setTransform(QTransform.fromTranslate(step % (2 * STRIPE), 0))
    painter.save()
    painter.setPen(QPen(brush, 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(transform.map(path))
    painter.restore()


@cache
def _stripes() -> QImage:
    """Slanted, but not by the half of a right angle at which many lines are drawn."""
    side = 2 * STRIPE
    image = QImage(side, side, QImage.Format.Format_RGB32)
    both = Qt.GlobalColor.white, Qt.GlobalColor.black
    for y in range(side):
        for x in range(side):
            image.setPixelColor(QPoint(x, y), both[(x + 2 * y) // STRIPE % 2])
    return image
