"""The outline of a mask along the edges of its pixels, as closed paths."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainterPath, QPolygonF

Corner = tuple[int, int]
"""(x, y)"""
Run = tuple[Corner, Corner]
"""A straight piece from one corner to another."""


def outline(mask: NDArray[np.bool_]) -> QPainterPath:
    """Around every region of True in `mask`, shape (H, W); holes are paths of their own.

    The pieces are directed so that the mask is always at the right hand: from a piece across one
    goes on with the piece down or up that begins where it ends, until the way is closed.
    """
    padded = np.pad(mask, 1)
    across = _across(padded)
    across_from, down_from = _by_start(across), _by_start(_down(padded))
    waiting = dict.fromkeys(across)
    path = QPainterPath()
    while waiting:
        (start, end), _ = waiting.popitem()
        across_from[start].remove(end)
        corners = [start, end]
        while True:
            corners.append(down_from[corners[-1]].pop())
            if not across_from[corners[-1]]:
                break
            end = across_from[corners[-1]].pop()
            waiting.pop((corners[-1], end))
            corners.append(end)
        path.addPolygon(QPolygonF([QPointF(*corner) for corner in corners]))
        path.closeSubpath()
    return path


def _by_start(runs: list[Run]) -> defaultdict[Corner, list[Corner]]:
    ends = defaultdict(list)
    for start, end in runs:
        ends[start].append(end)
    return ends


def _across(padded: NDArray[np.bool_]) -> list[Run]:
    """Upper edges from left to right, lower edges from right to left."""
    rows, columns = np.nonzero(padded[1:, 1:-1] != padded[:-1, 1:-1])
    upper = padded[rows + 1, columns + 1]
    return [((begin, y), (end, y)) for y, begin, end in _runs(rows, columns, upper)]


def _down(padded: NDArray[np.bool_]) -> list[Run]:
    """Right edges downwards, left edges upwards."""
    rows, columns = np.nonzero(padded[1:-1, 1:] != padded[1:-1, :-1])
    order = np.lexsort((rows, columns))
    rows, columns = rows[order], columns[order]
    right = padded[rows + 1, columns]
    return [((x, begin), (x, end)) for x, begin, end in _runs(columns, rows, right)]


def _runs(
    lines: NDArray[np.intp], places: NDArray[np.intp], forwards: NDArray[np.bool_]
) -> list[tuple[int, int, int]]:
    """(line, begin, end) of neighbouring edges of one direction; sorted by line, then place."""
    if len(lines) == 0:
        return []
    same = (np.diff(lines) == 0) & (np.diff(places) == 1) & (forwards[1:] == forwards[:-1])
    first = np.flatnonzero(np.concatenate(([True], ~same)))
    last = np.concatenate((first[1:], [len(lines)])) - 1
    begins, ends = places[first], places[last] + 1
    ahead = forwards[first]
    begins, ends = np.where(ahead, begins, ends), np.where(ahead, ends, begins)
    return list(zip(lines[first].tolist(), begins.tolist(), ends.tolist(), strict=True))
