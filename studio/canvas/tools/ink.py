"""What a stroke lays down: dabs of one colour over each other, and the paper they go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from PySide6.QtCore import QRect
from PySide6.QtGui import QColor, QPainter

from studio.canvas.edit import Edit
from studio.canvas.tiles import TileStore
from studio.canvas.tools.dabs import Dab, paint_dab

MOST_AREA = 512 * 512
"""Pixels touched at once: a long diagonal is laid in pieces, not as the square around it."""


class Ink:
    """The dabs of one stroke, apart from the picture.

    A stroke never gets denser than its opacity, because it is laid over the picture as a whole;
    flow says how fast it gets there.
    """

    def __init__(self, color: QColor, hardness: float) -> None:
        self._color = color
        self._hardness = hardness
        self.pixels = TileStore()

    def lay(self, dabs: Sequence[Dab], within: QRect) -> Iterator[QRect]:
        """Paint the dabs; gives each rectangle as soon as it has changed."""
        for rect, group in _groups(dabs, within):
            with self.pixels.paint(rect) as painter:
                for dab in group:
                    paint_dab(painter, dab, self._hardness, self._color)
            yield rect


class Paper(Protocol):
    """What a stroke is painted on."""

    def lay(self, dabs: Sequence[Dab]) -> None: ...

    def finish(self) -> None:
        """Make the stroke a step of undo."""

    def cancel(self) -> None:
        """Leave no trace of it."""


class LayerPaper:
    """A layer that is painted on, or rubbed away by `mode`; `opacity` from 0 to 1."""

    def __init__(
        self,
        edit: Edit,
        ink: Ink,
        within: QRect,
        opacity: float = 1.0,
        mode: QPainter.CompositionMode = QPainter.CompositionMode.CompositionMode_SourceOver,
    ) -> None:
        self._edit = edit
        self._ink = ink
        self._within = within
        self._opacity = opacity
        self._mode = mode

    def lay(self, dabs: Sequence[Dab]) -> None:
        for rect in self._ink.lay(dabs, self._within):
            with self._edit.paint(rect, afresh=True) as painter:
                painter.setCompositionMode(self._mode)
                painter.setOpacity(self._opacity)
                painter.drawImage(rect.topLeft(), self._ink.pixels.image(rect))

    def finish(self) -> None:
        self._edit.commit()

    def cancel(self) -> None:
        self._edit.cancel()


def _groups(dabs: Sequence[Dab], within: QRect) -> Iterator[tuple[QRect, list[Dab]]]:
    rect, group = QRect(), list[Dab]()
    for dab in dabs:
        touched = dab.rect() & within
        if touched.isEmpty():
            continue
        wider = rect | touched
        if group and _area(wider) > max(MOST_AREA, _area(rect) + _area(touched)):
            yield rect, group
            wider, group = touched, []
        rect = wider
        group.append(dab)
    if group:
        yield rect, group


def _area(rect: QRect) -> int:
    return rect.width() * rect.height()
