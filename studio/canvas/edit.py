"""Painting on one layer: shows at once, stays within the selection, becomes one step of undo."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

import numpy as np
from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QImage, QPainter

from studio.canvas.layer import Layer
from studio.canvas.selection import Selection
from studio.canvas.tiles import FORMAT, Key, TileStore, keys_of, rect_of

Tiles = dict[Key, QImage | None]


class Edit:
    """From `Document.edit`: a context, or kept through a stroke until `commit` or `cancel`.

    After its end it changes nothing any more, so that a stroke outlives an undo in its middle.
    """

    def __init__(
        self,
        layer: Layer,
        selection: Selection,
        changed: Callable[[QRect, Layer], None],
        finish: Callable[[Tiles], None],
    ) -> None:
        self.layer = layer
        self.is_open = True
        self._selection = selection
        self._changed = changed
        self._finish = finish
        self._before: Tiles = {}
        self._free = TileStore()  # as it were without the selection
        self._freed: set[Key] = set()

    def __enter__(self) -> Edit:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        self.cancel() if kind else self.commit()

    @contextmanager
    def paint(self, rect: QRect, *, afresh: bool = False) -> Iterator[QPainter]:
        """A painter in document pixels over `rect`; `afresh`: over what was there before the edit.

        So a stroke of half opacity is made of dabs that do not add up, and a line follows the
        mouse.
        """
        image = self.before(rect) if afresh else self._source(rect).image(rect)
        painter = QPainter(image)
        painter.translate(-rect.topLeft())
        try:
            yield painter
        finally:
            painter.end()
            self.put(image, rect.topLeft())

    def put(self, image: QImage, place: QPoint) -> None:
        """Replace the pixels from `place` on by those of `image`, as far as they are selected."""
        rect = QRect(place, image.size())
        if not self.is_open or rect.isEmpty():
            return
        self._remember(rect)
        if not self._selection.is_empty:
            self._free_up(rect)
            self._free.put(image, place)
            image = self._selected(image, rect)
        self.layer.pixels.put(image, place)
        self._changed(rect, self.layer)

    def before(self, rect: QRect) -> QImage:
        """The pixels in `rect` as they were before the edit."""
        now = self.layer.pixels
        if not any(key in self._before for key in keys_of(rect)):
            return now.image(rect)
        old = TileStore()
        old.restore({key: self._before.get(key, now.tile(key)) for key in keys_of(rect)})
        return old.image(rect)

    def commit(self) -> None:
        """Make what was done one step of undo; nothing done is no step."""
        if self.is_open:
            self.is_open = False
            pixels = self.layer.pixels
            done = {key: tile for key, tile in self._before.items() if pixels.tile(key) != tile}
            self._finish(done)

    def cancel(self) -> None:
        """Put back what was there before."""
        if self.is_open:
            self.is_open = False
            self.layer.pixels.restore(self._before)
            for key in self._before:
                self._changed(rect_of(key), self.layer)
            self._finish({})

    def _remember(self, rect: QRect) -> None:
        for key in keys_of(rect):
            self._before.setdefault(key, self.layer.pixels.tile(key))

    def _source(self, rect: QRect) -> TileStore:
        if self._selection.is_empty or not self.is_open:
            return self.layer.pixels
        self._free_up(rect)
        return self._free

    def _free_up(self, rect: QRect) -> None:
        for key in keys_of(rect):
            if key not in self._freed:
                self._freed.add(key)
                self._free.restore({key: self.layer.pixels.tile(key)})

    def _selected(self, image: QImage, rect: QRect) -> QImage:
        """`image` where it is selected, what was there before where it is not."""
        part = self._selection.mask(rect).astype(np.uint16)[:, :, None]
        new, old = _channels(image.convertToFormat(FORMAT)), _channels(self.before(rect))
        mixed = ((new * part + old * (255 - part) + 127) // 255).astype(np.uint8)
        width, height = rect.width(), rect.height()
        return QImage(mixed.data, width, height, width * 4, FORMAT).copy()


def _channels(image: QImage) -> np.ndarray:
    pixels = np.frombuffer(image.constBits(), np.uint8)
    return pixels.reshape(image.height(), image.width(), 4).astype(np.uint16)
