"""Where a person works: a mask of 8 bits over a rectangle, which may reach beyond the document."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPainterPath, QPolygonF

from studio.canvas.outline import outline

Mask = NDArray[np.uint8]


class Selection:
    """Never changed, only replaced; `Selection()` selects nothing, which means: no limit."""

    def __init__(self, mask: Mask | None = None, place: QPoint | None = None) -> None:
        """`mask`, shape (H, W), 0 to 255, with its first pixel at `place`."""
        mask = np.zeros((0, 0), np.uint8) if mask is None else mask
        place = QPoint() if place is None else place
        if mask.strides == (0, 0) and mask.size and mask[0, 0]:
            self._mask, self.bounds = mask, QRect(place, QSize(mask.shape[1], mask.shape[0]))
            return
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if len(rows) == 0:
            self._mask, self.bounds = np.zeros((0, 0), np.uint8), QRect()
            return
        top, left = int(rows[0]), int(columns[0])
        self._mask = mask[top : rows[-1] + 1, left : columns[-1] + 1].copy()
        height, width = self._mask.shape
        self.bounds = QRect(place + QPoint(left, top), QSize(width, height))

    # ------------------------------------------------------------------ ways to select

    @staticmethod
    def from_rect(rect: QRect) -> Selection:
        rect = rect.normalized()
        whole = np.broadcast_to(np.uint8(255), (max(rect.height(), 0), max(rect.width(), 0)))
        return Selection(whole, rect.topLeft())

    @staticmethod
    def from_polygon(polygon: QPolygonF) -> Selection:
        path = QPainterPath()
        path.addPolygon(polygon)
        path.closeSubpath()
        return Selection.from_path(path)

    @staticmethod
    def from_path(path: QPainterPath) -> Selection:
        """What is inside, with a smooth edge."""
        rect = path.boundingRect().toAlignedRect()
        if rect.isEmpty():
            return Selection()
        image = QImage(rect.size(), QImage.Format.Format_Grayscale8)
        image.fill(0)
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(-rect.topLeft())
        painter.fillPath(path, Qt.GlobalColor.white)
        painter.end()
        return Selection(_bytes(image), rect.topLeft())

    @staticmethod
    def from_image(image: QImage, place: QPoint | None = None) -> Selection:
        """By opacity where the image has any transparency, else by brightness."""
        wanted = QImage.Format.Format_Alpha8
        if not image.hasAlphaChannel():
            wanted = QImage.Format.Format_Grayscale8
        return Selection(_bytes(image.convertToFormat(wanted)), place)

    # ------------------------------------------------------------------ reading

    @property
    def is_empty(self) -> bool:
        return self.bounds.isEmpty()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Selection):
            return False
        return self.bounds == other.bounds and np.array_equal(self._mask, other._mask)

    __hash__ = None  # type: ignore[assignment]  # masks are compared, not looked up

    @property
    def is_plain(self) -> bool:
        """Whether it is a rectangle made by `from_rect`, which needs no memory."""
        return self.is_empty or self._mask.strides == (0, 0)

    def mask(self, rect: QRect) -> Mask:
        """Shape (H, W): 255 where all of a pixel is selected, 0 where nothing of it is."""
        result = np.zeros((rect.height(), rect.width()), np.uint8)
        both = rect & self.bounds
        if not both.isEmpty():
            result[_slices(both, rect)] = self._mask[_slices(both, self.bounds)]
        return result

    def image(self, rect: QRect | None = None) -> QImage:
        """The mask in `rect`, or all of it, as an Alpha8 image to paint through."""
        rect = self.bounds if rect is None else rect
        mask = self.mask(rect)
        width, height = rect.width(), rect.height()
        return QImage(mask.data, width, height, width, QImage.Format.Format_Alpha8).copy()

    def contains(self, place: QPoint) -> bool:
        return bool(self.mask(QRect(place, QSize(1, 1)))[0, 0] >= 128)

    def outline(self) -> QPainterPath:
        """Around all that is at least half selected, along the edges of the pixels."""
        return self._outline

    @cached_property
    def _outline(self) -> QPainterPath:
        return outline(self._mask >= 128).translated(self.bounds.left(), self.bounds.top())

    # ------------------------------------------------------------------ made from others

    def union(self, other: Selection) -> Selection:
        return self._joined(other, self.bounds | other.bounds, np.maximum)

    def subtract(self, other: Selection) -> Selection:
        return self._joined(other, self.bounds, lambda mine, theirs: np.minimum(mine, 255 - theirs))

    def intersect(self, other: Selection) -> Selection:
        return self._joined(other, self.bounds & other.bounds, np.minimum)

    def inverted(self, size: QSize) -> Selection:
        """What is not selected of a document of that size."""
        rect = QRect(QPoint(), size)
        return Selection(255 - self.mask(rect), rect.topLeft())

    def feathered(self, radius: float) -> Selection:
        """With an edge that fades over about `radius` pixels to each side (Gaussian, 2 sigma)."""
        if radius <= 0 or self.is_empty:
            return self
        reach = int(np.ceil(radius * 1.5))
        wide = self.bounds.adjusted(-reach, -reach, reach, reach)
        blurred = Image.fromarray(self.mask(wide)).filter(ImageFilter.GaussianBlur(radius / 2))
        return Selection(np.asarray(blurred), wide.topLeft())

    def moved(self, by: QPoint) -> Selection:
        return Selection(self._mask, self.bounds.topLeft() + by)

    def _joined(
        self, other: Selection, rect: QRect, join: Callable[[Mask, Mask], Mask]
    ) -> Selection:
        return Selection(join(self.mask(rect), other.mask(rect)), rect.topLeft())


def _slices(part: QRect, whole: QRect) -> tuple[slice, slice]:
    left, top = part.left() - whole.left(), part.top() - whole.top()
    return slice(top, top + part.height()), slice(left, left + part.width())


def _bytes(image: QImage) -> Mask:
    if image.isNull():
        return np.zeros((0, 0), np.uint8)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width()].copy()
