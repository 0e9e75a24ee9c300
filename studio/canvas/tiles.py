"""Pixels of a layer: sparse tiles of 256×256, premultiplied ARGB, shared until they are changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QImage, QPainter

SIDE = 256
"""Pixels of a tile, across and down."""

FORMAT = QImage.Format.Format_ARGB32_Premultiplied
MINI = 32
"""Side of a tile made small for thumbnails."""

Key = tuple[int, int]
"""(column, row) of a tile; the one at (0, 0) begins at pixel (0, 0)."""


def keys_of(rect: QRect) -> Iterator[Key]:
    """The tiles that `rect` touches."""
    if rect.isEmpty():
        return
    for row in range(rect.top() // SIDE, rect.bottom() // SIDE + 1):
        for column in range(rect.left() // SIDE, rect.right() // SIDE + 1):
            yield column, row


def rect_of(key: Key) -> QRect:
    return QRect(key[0] * SIDE, key[1] * SIDE, SIDE, SIDE)


def blank(size: QSize) -> QImage:
    """A transparent image; raises MemoryError where there is no room for it."""
    image = QImage(size, FORMAT)
    if image.isNull() and not size.isEmpty():
        raise MemoryError(f"an image of {size.width()}×{size.height()} pixels")
    image.fill(Qt.GlobalColor.transparent)
    return image


def is_blank(image: QImage) -> bool:
    return not np.frombuffer(image.constBits(), np.uint64).any()


class TileStore:
    """Tiles are never changed, only replaced, so that snapshots and caches may hold them.

    A tile that is transparent all over is not kept.
    """

    def __init__(self) -> None:
        self._tiles: dict[Key, QImage] = {}
        self._minis: dict[Key, QImage] = {}
        self._inner: dict[Key, QRect] = {}  # where a tile is not transparent, in its own pixels

    def copy(self) -> TileStore:
        """The same pixels, at no cost; for reading them on another thread, say."""
        other = TileStore()
        other._tiles = dict(self._tiles)
        return other

    @staticmethod
    def from_image(image: QImage, place: QPoint | None = None) -> TileStore:
        store = TileStore()
        store.put(image, place or QPoint())
        return store

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TileStore) and self._tiles == other._tiles

    __hash__ = None  # type: ignore[assignment]  # it changes

    @property
    def is_empty(self) -> bool:
        return not self._tiles

    def keys(self) -> list[Key]:
        return list(self._tiles)

    def tile(self, key: Key) -> QImage | None:
        return self._tiles.get(key)

    # ------------------------------------------------------------------ reading

    def image(self, rect: QRect | None = None) -> QImage:
        """A copy of the pixels in `rect`, or of all there are."""
        rect = self.bounds() if rect is None else rect
        whole = self._tiles.get((rect.left() // SIDE, rect.top() // SIDE))
        if whole is not None and rect == rect_of((rect.left() // SIDE, rect.top() // SIDE)):
            return QImage(whole)
        image = blank(rect.size())
        if rect.isEmpty():
            return image
        painter = QPainter(image)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
        for key in self._touched(rect):
            painter.drawImage(rect_of(key).topLeft() - rect.topLeft(), self._tiles[key])
        painter.end()
        return image

    def bounds(self) -> QRect:
        """The smallest rectangle that holds every pixel that is not transparent."""
        if not self._tiles:
            return QRect()
        columns, rows = {key[0] for key in self._tiles}, {key[1] for key in self._tiles}
        edges = (min(columns), max(columns)), (min(rows), max(rows))
        bounds = QRect()
        for key in self._tiles:
            if key[0] in edges[0] or key[1] in edges[1]:
                if key not in self._inner:
                    self._inner[key] = _tight(self._tiles[key])
                bounds |= self._inner[key].translated(rect_of(key).topLeft())
        return bounds

    def thumbnail(self, rect: QRect, size: QSize) -> QImage:
        """What is in `rect`, made to fit into `size`."""
        if size.isEmpty() or rect.isEmpty():
            return QImage()
        shrunk = rect.size().scaled(size, Qt.AspectRatioMode.KeepAspectRatio)
        shrunk = shrunk.expandedTo(QSize(1, 1))
        factor = max(MINI / SIDE, min(1.0, shrunk.width() / rect.width()))
        image = blank((rect.size() * factor).expandedTo(QSize(1, 1)))
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.scale(factor, factor)
        painter.translate(-rect.topLeft())
        for key in self._touched(rect):
            painter.drawImage(rect_of(key), self._mini(key) if factor < 0.5 else self._tiles[key])
        painter.end()
        smooth = Qt.TransformationMode.SmoothTransformation
        return image.scaled(shrunk, Qt.AspectRatioMode.IgnoreAspectRatio, smooth)

    def _mini(self, key: Key) -> QImage:
        mini = self._minis.get(key)
        if mini is None:
            mode = Qt.TransformationMode.SmoothTransformation
            keep = Qt.AspectRatioMode.KeepAspectRatio
            mini = self._minis[key] = self._tiles[key].scaled(MINI, MINI, keep, mode)
        return mini

    def _touched(self, rect: QRect) -> list[Key]:
        """The tiles there are within `rect`, by whichever is shorter: the list or the rectangle."""
        across, down = rect.width() // SIDE + 2, rect.height() // SIDE + 2
        if across * down > len(self._tiles):
            return [key for key in self._tiles if rect_of(key).intersects(rect)]
        return [key for key in keys_of(rect) if key in self._tiles]

    # ------------------------------------------------------------------ changing

    def put(self, image: QImage, place: QPoint) -> None:
        """Replace the pixels from `place` on by those of `image`."""
        image = image.convertToFormat(FORMAT)
        area = QRect(place, image.size())
        for key in list(keys_of(area)):
            rect = rect_of(key)
            if area.contains(rect):
                tile = image.copy(rect.translated(-place))
            else:
                old = self._tiles.get(key)
                tile = blank(rect.size()) if old is None else old.copy()
                painter = QPainter(tile)
                painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
                painter.drawImage(place - rect.topLeft(), image)
                painter.end()
            self._set(key, tile)

    @contextmanager
    def paint(self, rect: QRect) -> Iterator[QPainter]:
        """A painter in the layer's coordinates; nothing outside `rect` is changed."""
        image = self.image(rect)
        painter = QPainter(image)
        painter.translate(-rect.topLeft())
        try:
            yield painter
        finally:
            painter.end()
            self.put(image, rect.topLeft())

    def clear(self) -> None:
        self._tiles, self._minis, self._inner = {}, {}, {}

    def move(self, by: QPoint) -> None:
        """Move every pixel; none is lost, so that moving back restores all of them."""
        old = self.copy()
        self.clear()
        if by.x() % SIDE == 0 and by.y() % SIDE == 0:
            for (column, row), tile in old._tiles.items():
                self._tiles[column + by.x() // SIDE, row + by.y() // SIDE] = tile
            return
        moved = [rect_of(key).translated(by) for key in old.snapshot()]
        for key in {key for rect in moved for key in keys_of(rect)}:
            self._set(key, old.image(rect_of(key).translated(-by)))

    # ------------------------------------------------------------------ snapshots

    def snapshot(self, rect: QRect | None = None) -> dict[Key, QImage | None]:
        """The tiles in `rect` (or all) as they are now; costs no memory until they change."""
        keys = self._tiles if rect is None else keys_of(rect)
        return {key: self._tiles.get(key) for key in keys}

    def restore(self, tiles: Mapping[Key, QImage | None]) -> None:
        for key, tile in tiles.items():
            if tile is None:
                self._tiles.pop(key, None)
            else:
                self._tiles[key] = tile
            self._minis.pop(key, None)
            self._inner.pop(key, None)

    def _set(self, key: Key, tile: QImage) -> None:
        self.restore({key: None if is_blank(tile) else tile})


def _tight(tile: QImage) -> QRect:
    """Where `tile` is not transparent; it is somewhere."""
    pixels = np.frombuffer(tile.constBits(), np.uint32).reshape(tile.height(), tile.width())
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    left, top = int(columns[0]), int(rows[0])
    return QRect(left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1)
