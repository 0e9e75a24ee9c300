"""The squares that stand for nothing, behind what is transparent."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QBrush, QImage, QPainter

from studio import theme

SIDE = 8  # logical pixels of a square


def paint_checkerboard(painter: QPainter, area: QRectF) -> None:
    """Fill `area`; the squares stay where they are when it is moved."""
    colors = theme.colors()
    painter.fillRect(area, QBrush(_squares(colors.checker_light.rgb(), colors.checker_dark.rgb())))


@lru_cache(maxsize=2)
def _squares(light: int, dark: int) -> QImage:
    """Two by two of them, to be repeated."""
    image = QImage(2 * SIDE, 2 * SIDE, QImage.Format.Format_RGB32)
    image.fill(light)
    painter = QPainter(image)
    for place in (SIDE, 0), (0, SIDE):
        painter.fillRect(QRect(*place, SIDE, SIDE), dark)
    painter.end()
    return image
