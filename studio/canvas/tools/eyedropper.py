"""The eyedropper: takes a colour from the picture as it is seen."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF
from PySide6.QtGui import QColor, QPainter, QPen, QSinglePointEvent

from studio.canvas.document import Document
from studio.canvas.tools.marks import DARK, LIGHT
from studio.canvas.tools.option import Option
from studio.canvas.tools.tool import ALT, Tool
from studio.images import to_array

SAMPLES = {"one pixel": 1, "3 × 3 pixels": 3, "5 × 5 pixels": 5}
RING = 20.0  # logical pixels: radius of the ring that shows the colour


class Eyedropper(Tool):
    """Alt takes the background colour instead of the foreground."""

    id = "eyedropper"
    title = "Eyedropper"
    icon = "pipette"
    shortcut = "I"
    help = "Take a colour from the picture. With Alt it becomes the background colour."

    sample = Option(
        "one pixel",
        label="Sample",
        help="How many pixels the colour is the mean of; more of them for grainy pictures.",
        choices=tuple(SAMPLES),
    )

    _seen: tuple[QPointF, QColor] | None = None

    def press(self, event: QSinglePointEvent) -> None:
        color = color_at(self.document, self.place(event), SAMPLES[self.sample])
        self._seen = (event.position(), color) if color else None
        if color and event.modifiers() & ALT:
            self.box.colors.background = color
        elif color:
            self.box.colors.foreground = color
        self.view.update()

    move = press

    def release(self, event: QSinglePointEvent) -> None:
        if self._seen:
            self.box.colors.remember(self._seen[1])
        self.cancel()

    def cancel(self) -> None:
        self._seen = None
        self.view.update()

    leave = cancel

    def overlay(self, painter: QPainter) -> None:
        if self._seen is None:
            return
        place, color = self._seen
        ring = QRectF(-RING, -RING, 2 * RING, 2 * RING).translated(place)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for pen in (QPen(DARK, 12), QPen(LIGHT, 10), QPen(color, 7)):
            painter.setPen(pen)
            painter.drawEllipse(ring)
        painter.restore()


def color_at(document: Document, place: QPointF, side: int = 1) -> QColor | None:
    """The mean colour of a square of `side` pixels; None outside and where all is transparent."""
    x, y = int(place.x() // 1), int(place.y() // 1)
    if not document.rect.contains(x, y):
        return None
    square = QRect(x - side // 2, y - side // 2, side, side) & document.rect
    pixels = to_array(document.composite(square)).reshape(-1, 4).astype(float)
    weights = pixels[:, 3]
    if not weights.any():
        return None
    mean = np.average(pixels[:, :3], axis=0, weights=weights)
    return QColor(*(round(channel) for channel in mean))
