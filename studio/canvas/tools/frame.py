"""A frame with eight handles: where they are, which one is meant, what the cursor says of it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QTransform

Handle = tuple[int, int]
"""Which way from the middle: (-1, -1) is the top left corner, (1, 0) the right side."""

HANDLES: tuple[Handle, ...] = tuple((x, y) for y in (-1, 0, 1) for x in (-1, 0, 1) if x or y)
REACH = 10.0  # logical pixels around a handle that count as it

_CURSORS = (
    Qt.CursorShape.SizeHorCursor,
    Qt.CursorShape.SizeFDiagCursor,
    Qt.CursorShape.SizeVerCursor,
    Qt.CursorShape.SizeBDiagCursor,
)


def handle_places(rect: QRectF, transform: QTransform) -> dict[Handle, QPointF]:
    """Where the handles of `rect` are once `transform` has put it into the view."""
    center, half = rect.center(), QPointF(rect.width() / 2, rect.height() / 2)
    return {
        (x, y): transform.map(QPointF(center.x() + x * half.x(), center.y() + y * half.y()))
        for x, y in HANDLES
    }


def handle_at(places: Mapping[Handle, QPointF], place: QPointF) -> Handle | None:
    """The nearest handle within reach; corners win where they crowd."""
    near = {
        handle: math.hypot(at.x() - place.x(), at.y() - place.y()) - (2 if all(handle) else 0)
        for handle, at in places.items()
    }
    best = min(near, key=lambda handle: near[handle])
    return best if near[best] <= REACH else None


def handle_cursor(places: Mapping[Handle, QPointF], handle: Handle) -> Qt.CursorShape:
    """The double arrow that points away from the middle as the frame lies."""
    opposite = places[-handle[0], -handle[1]]
    way = places[handle] - opposite
    eighth = round(math.atan2(way.y(), way.x()) / (math.pi / 4))
    return _CURSORS[eighth % 4]
