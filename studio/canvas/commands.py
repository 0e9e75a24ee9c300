"""The steps of undo of a document; each one knows how to go either way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QImage, QUndoCommand

from studio.canvas.contents import Contents, Stored
from studio.canvas.layer import Layer
from studio.canvas.selection import Selection
from studio.canvas.tiles import Key


class PixelChange(QUndoCommand):
    """Other tiles in a layer: undo and redo exchange those that are kept with those that show."""

    def __init__(
        self, contents: Contents, layer: Layer, before: Mapping[Key, QImage | None], text: str
    ) -> None:
        super().__init__(text)
        self._contents = contents
        self._layer = layer
        self._kept: Stored = contents.keep(before)
        self._is_done = True  # it was painted before it became a step

    def redo(self) -> None:
        if self._is_done:
            self._is_done = False
        else:
            self.undo()

    def undo(self) -> None:
        self._kept = self._contents.exchange(self._layer, self._kept)


class LayerPresence(QUndoCommand):
    """A layer comes or goes; while it is away its pixels are kept as all old pixels are."""

    def __init__(
        self, contents: Contents, layer: Layer, index: int, text: str, *, comes: bool
    ) -> None:
        super().__init__(text)
        self._contents = contents
        self._layer = layer
        self._index = index
        self._comes = comes
        self._kept: Stored = {}
        self._active = contents.active

    def redo(self) -> None:
        self._insert() if self._comes else self._take()

    def undo(self) -> None:
        self._take() if self._comes else self._insert()
        self._contents.set_active(self._active)

    def _insert(self) -> None:
        self._contents.insert(self._index, self._layer, self._kept)
        self._kept = {}

    def _take(self) -> None:
        self._kept = self._contents.take(self._layer)


class LayerOrder(QUndoCommand):
    def __init__(self, contents: Contents, layer: Layer, index: int, text: str) -> None:
        super().__init__(text)
        self._contents = contents
        self._layer = layer
        self._before = contents.layers.index(layer)
        self._after = index

    def redo(self) -> None:
        self._contents.place(self._layer, self._after)

    def undo(self) -> None:
        self._contents.place(self._layer, self._before)


class LayerChange(QUndoCommand):
    """Other settings of a layer; the moves of one slider in a row become one step."""

    ID = 2

    def __init__(
        self, contents: Contents, layer: Layer, values: Mapping[str, Any], text: str
    ) -> None:
        super().__init__(text)
        self._contents = contents
        self._layer = layer
        self._before = {name: getattr(layer, name) for name in values}
        self._after = dict(values)

    def redo(self) -> None:
        self._contents.apply(self._layer, self._after)

    def undo(self) -> None:
        self._contents.apply(self._layer, self._before)

    def id(self) -> int:
        return self.ID if list(self._after) == ["opacity"] else -1

    def mergeWith(self, newer: QUndoCommand) -> bool:
        if not isinstance(newer, LayerChange) or newer._layer is not self._layer:
            return False
        self._after = newer._after
        self.setObsolete(self._after == self._before)
        return True


class SelectionChange(QUndoCommand):
    def __init__(self, contents: Contents, selection: Selection, text: str) -> None:
        super().__init__(text)
        self._contents = contents
        self._other: Callable[[], Selection] = lambda: selection

    def redo(self) -> None:
        before = self._contents.exchange_selection(self._other())
        self._other = self._contents.keep_selection(before)

    def undo(self) -> None:
        self.redo()


class Resize(QUndoCommand):
    """The document shows another rectangle; what is outside of it stays in the layers."""

    def __init__(self, contents: Contents, rect: QRect, text: str) -> None:
        super().__init__(text)
        self._contents = contents
        self._rect = rect

    def redo(self) -> None:
        before = QRect(QPoint() - self._rect.topLeft(), self._contents.size)
        self._contents.show_rect(self._rect)
        self._rect = before

    def undo(self) -> None:
        self.redo()
