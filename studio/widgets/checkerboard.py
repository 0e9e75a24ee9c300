"""The squares that stand for nothing, behind what is transparent."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from studio import theme

SIDE = 8  # logical pixels of a square


def paint_checkerboard(painter: QPainter, area: QRectF) -> None:
    """Fill `area`; the squares stay where they are when it is moved."""
    colors = theme.colors()
    painter.fillRect(area, colors.checker_light)
    left, top = int(area.left()) // SIDE, int(area.top()) // SIDE
    for row in range(top, int(area.bottom()) // SIDE + 1):
        for column in range(left, int(area.right()) // SIDE + 1):
            if (row + column) % 2:
                square = QRectF(column * SIDE, row * SIDE, SIDE, SIDE)
                painter.fillRect(square & area, colors.checker_dark)
