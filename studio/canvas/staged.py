"""What is shown over a document: a result that waits for a decision, and the line to compare at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from PySide6.QtCore import QPointF, QRect, QRectF
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QTransform

from studio.canvas.composite import Composite
from studio.canvas.layer import Layer
from studio.canvas.tiles import TileStore


@dataclass(frozen=True)
class Staged:
    """Finished or half made; nothing of it is part of the document yet."""

    image: QImage
    rect: QRect
    """In document pixels; it may reach beyond the document."""
    alone: bool = False
    """It stands for itself: the document below is not shown."""

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """Paint what of it is in `area`; both are in document pixels."""
        inside = area & QRectF(self.rect)
        if inside.isEmpty() or self.image.isNull():
            return
        across = self.rect.width() / self.image.width()
        down = self.rect.height() / self.image.height()
        painter.save()
        painter.translate(self.rect.topLeft())
        painter.scale(across, down)
        inverse, _ = QTransform.fromScale(across, down).inverted()
        part = inverse.mapRect(inside.translated(-self.rect.topLeft()))
        self._picture.draw(painter, part.toAlignedRect())
        painter.restore()

    @cached_property
    def _picture(self) -> Composite:
        """In tiles of all sizes, as the document is: a large result is zoomed as quickly."""
        picture = Composite()
        picture.set_size(self.image.size())
        picture.set_layers([Layer("", pixels=TileStore.from_image(self.image))], None)
        return picture


@dataclass(frozen=True)
class Divider:
    """Before is at the left of the line, after at its right."""

    STEP: ClassVar[float] = 0.02
    """Of the width, with the keyboard."""
    REACH: ClassVar[float] = 6
    """Logical pixels from the line at which it can be taken hold of."""
    KNOB: ClassVar[float] = 8

    place: float
    """0 to 1 of the picture's width."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "place", min(max(self.place, 0.0), 1.0))

    def x(self, picture: QRectF) -> float:
        return picture.left() + self.place * picture.width()

    def is_at(self, x: float, picture: QRectF) -> bool:
        """Whether the line can be taken hold of at `x`; `picture` is where that is in the view."""
        return abs(x - self.x(picture)) <= self.REACH

    def moved(self, x: float, picture: QRectF) -> Divider:
        return Divider((x - picture.left()) / max(picture.width(), 1.0))

    def draw(self, painter: QPainter, picture: QRectF, line: QColor, knob: QColor) -> None:
        """In logical pixels of the view."""
        x, middle = self.x(picture), picture.center().y()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(line, 2))
        painter.drawLine(QPointF(x, picture.top()), QPointF(x, picture.bottom()))
        painter.setBrush(line)
        painter.drawEllipse(QPointF(x, middle), self.KNOB, self.KNOB)
        painter.setPen(QPen(knob, 2))
        for side in (-1, 1):
            tip = QPointF(x + side * self.KNOB / 2, middle)
            for up in (-1, 1):
                painter.drawLine(tip, tip - QPointF(side * 3, up * 3))
        painter.restore()
