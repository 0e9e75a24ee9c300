"""What paints along the way of the hand with a round tip; each such tool says onto which paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QCursor, QKeyEvent, QPainter, QSinglePointEvent, QTabletEvent

from studio.canvas.tools.dabs import Dab
from studio.canvas.tools.ink import Paper
from studio.canvas.tools.marks import paint_contrast
from studio.canvas.tools.option import Option
from studio.canvas.tools.stroke import Nib, Point, Stroke
from studio.canvas.tools.tool import SHIFT, Tool

if TYPE_CHECKING:
    from studio.canvas.tools.tool_box import ToolBox

LARGER = (Qt.Key.Key_BracketRight, Qt.Key.Key_BraceRight)
SMALLER = (Qt.Key.Key_BracketLeft, Qt.Key.Key_BraceLeft)
HARDER = 10  # percent, by a key
GROWTH = 0.15  # of the size, by a key
LEAST_RING = 4.0  # logical pixels: a smaller brush is shown by the cross alone


class RoundTool(Tool):
    """Shift and a click draw a straight line from where the last stroke ended."""

    size = Option(
        24,
        label="Size",
        help="How wide the tip is; [ and ] make it smaller and larger.",
        minimum=1,
        maximum=1000,
        unit="px",
    )
    hardness = Option(
        80,
        label="Hardness",
        help="How sharp the edge is: 0 is a cloud, 100 a disc. Shift+[ and Shift+] change it.",
        unit="%",
    )

    def __init__(self, box: ToolBox) -> None:
        super().__init__(box)
        self._paper: Paper | None = None
        self._stroke: Stroke | None = None
        self._last: Point | None = None  # where the stroke before ended
        self._at: QPointF | None = None  # where the tip is seen, in logical pixels
        self.view.pointed.connect(self._pointed)

    def paper(self, event: QSinglePointEvent) -> Paper | None:
        """What the stroke that begins now is painted on; None where there is nothing."""
        raise NotImplementedError

    def nib(self) -> Nib:
        return Nib(self.size, self.hardness / 100, 1.0)

    # ------------------------------------------------------------------ painting

    @property
    def is_painting(self) -> bool:
        return self._stroke is not None

    def press(self, event: QSinglePointEvent) -> None:
        self.cancel()
        self._paper = self.paper(event)
        if self._paper is None:
            return
        point = self._point(event)
        straight = self._last is not None and bool(event.modifiers() & SHIFT)
        self._stroke = Stroke(self.nib(), self._last if straight and self._last else point)
        self._lay(self._stroke.begin())
        if straight:
            self._lay(self._stroke.to(point))
        self._last = point

    def move(self, event: QSinglePointEvent) -> None:
        self._show_at(event.position())
        if self._stroke is not None:
            self._last = self._point(event)
            self._lay(self._stroke.to(self._last))

    def release(self, event: QSinglePointEvent) -> None:
        self._end()

    def hover(self, event: QSinglePointEvent) -> None:
        self._show_at(event.position())

    def leave(self) -> None:
        self._end()
        self._show_at(None)

    def cancel(self) -> None:
        if self._paper is not None:
            self._paper.cancel()
        self._paper = self._stroke = None

    def _end(self) -> None:
        if self._stroke is not None and self._paper is not None:
            self._lay(self._stroke.end())
            self._paper.finish()
        self._paper = self._stroke = None

    def _lay(self, dabs: list[Dab]) -> None:
        if self._paper is not None and dabs:
            self._paper.lay(dabs)

    def _point(self, event: QSinglePointEvent) -> Point:
        place = self.place(event)
        pressure = event.pressure() if isinstance(event, QTabletEvent) else 1.0
        return Point(place.x(), place.y(), pressure)

    # ------------------------------------------------------------------ keys and looks

    def key(self, event: QKeyEvent) -> bool:
        larger, smaller = event.key() in LARGER, event.key() in SMALLER
        if not (larger or smaller):
            return False
        if event.modifiers() & SHIFT:
            self.hardness += HARDER if larger else -HARDER
        else:
            step = max(round(self.size * GROWTH), 1)
            self.size += step if larger else -step
        self.view.update()
        return True

    @property
    def cursor(self) -> QCursor:
        ring = self.size * self.view.scale >= 2 * LEAST_RING
        return QCursor(Qt.CursorShape.BlankCursor if ring else Qt.CursorShape.CrossCursor)

    def overlay(self, painter: QPainter) -> None:
        radius = self.size * self.view.scale / 2
        if self._at is None or radius < LEAST_RING:
            return
        ring = self._ring(self._at)
        paint_contrast(painter, lambda: painter.drawEllipse(ring))
        if radius > 4 * LEAST_RING:
            dot = QRectF(-0.5, -0.5, 1, 1)
            dot.moveCenter(self._at)
            paint_contrast(painter, lambda: painter.drawEllipse(dot))

    def _pointed(self, place: QPointF | None) -> None:
        if place is None:  # the pointer has left the view
            self._show_at(None)

    def _show_at(self, place: QPointF | None) -> None:
        for at in (self._at, place):
            if at is not None:
                self.view.update_area(self._ring(at))
        self._at = place

    def _ring(self, at: QPointF) -> QRectF:
        radius = self.size * self.view.scale / 2
        ring = QRectF(-radius, -radius, 2 * radius, 2 * radius)
        ring.moveCenter(at)
        return ring
