"""The way of the brush: points as the mouse reports them become dabs at even distances."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtCore import QPointF

from studio.canvas.tools.dabs import Dab

SPACING = 0.1
"""Between two dabs, as a part of the brush's size: close enough for an even edge."""
LEAST_SPACING = 0.75  # pixels
MOST_PIECE = 2.0  # pixels: a curve is walked in straight pieces of about this length


@dataclass(frozen=True)
class Point:
    """A place in pixels of the document, and how hard the pen presses there, 0 to 1."""

    x: float
    y: float
    pressure: float = 1.0

    def toward(self, other: Point, part: float) -> Point:
        return Point(
            self.x + (other.x - self.x) * part,
            self.y + (other.y - self.y) * part,
            self.pressure + (other.pressure - self.pressure) * part,
        )

    def distance(self, other: Point) -> float:
        return math.hypot(other.x - self.x, other.y - self.y)


@dataclass(frozen=True)
class Nib:
    """What the brush is like while a stroke lasts: sizes in pixels, the rest from 0 to 1."""

    size: float
    hardness: float
    flow: float
    pressure_sizes: bool = False
    pressure_flows: bool = False

    def dab(self, at: Point) -> Dab:
        size = self.size * (max(at.pressure, 0.05) if self.pressure_sizes else 1.0)
        flow = self.flow * (at.pressure if self.pressure_flows else 1.0)
        return Dab(QPointF(at.x, at.y), size, flow)


class Stroke:
    """Draws through the middles between reported points, so that fast strokes stay round.

    A quadratic Bézier curve from middle to middle with the reported point as its control point is
    smooth, passes near every point, and needs to know only one point ahead.
    """

    def __init__(self, nib: Nib, start: Point) -> None:
        self.nib = nib
        self._last = start  # the newest point reported
        self._drawn = start  # how far the curve has got
        self._left = 0.0  # pixels to go until the next dab

    def begin(self) -> list[Dab]:
        """The dab of a brush that is only put down."""
        self._left = self._spacing(self._drawn)
        return [self.nib.dab(self._drawn)]

    def to(self, point: Point) -> list[Dab]:
        """The dabs up to halfway to `point`; the rest follows with the next one."""
        middle = self._last.toward(point, 0.5)
        dabs = [dab for piece in _curve(self._drawn, self._last, middle) for dab in self._go(piece)]
        self._last = point
        return dabs

    def end(self) -> list[Dab]:
        """The dabs that are left up to the last point."""
        return list(self._go(self._last))

    def _go(self, target: Point) -> Iterator[Dab]:
        start = self._drawn
        length, gone = start.distance(target), 0.0
        while gone + self._left <= length:
            gone += self._left
            place = start.toward(target, gone / length)
            self._left = self._spacing(place)
            yield self.nib.dab(place)
        self._left -= length - gone
        self._drawn = target

    def _spacing(self, place: Point) -> float:
        return max(self.nib.dab(place).size * SPACING, LEAST_SPACING)


def _curve(start: Point, control: Point, end: Point) -> Iterator[Point]:
    length = start.distance(control) + control.distance(end)
    pieces = min(max(math.ceil(length / MOST_PIECE), 1), 64)
    for piece in range(1, pieces + 1):
        part = piece / pieces
        yield start.toward(control, part).toward(control.toward(end, part), part)
