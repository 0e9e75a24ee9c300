"""What a document is made of, and the ways it can change: at once, and each one with a way back.

Document and its steps of undo call these; they know nothing of each other's order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from PySide6.QtCore import QObject, QPoint, QRect, QSize, Signal
from PySide6.QtGui import QImage

from studio.background import Background
from studio.canvas.composite import Composite
from studio.canvas.edit import Edit
from studio.canvas.layer import Layer
from studio.canvas.selection import Selection
from studio.canvas.snapshots import Archive, Kept
from studio.canvas.tiles import Key, rect_of

Stored = Mapping[Key, Kept | None]

SEEN = {"opacity", "blend_mode", "visible", "kind"}
"""What of a layer's settings changes how the picture looks."""


class Contents(QObject):
    """Layers from the bottom to the top, the selection, and what is seen of them."""

    changed = Signal(QRect)
    layers_changed = Signal()
    selection_changed = Signal()
    resized = Signal()

    def __init__(self, size: QSize, memory: int, parent: QObject) -> None:
        super().__init__(parent)
        self.size = QSize(size)
        self.origin = QPoint()
        self.layers: list[Layer] = []
        self.active: Layer | None = None
        self.selection = Selection()
        self.edit: Edit | None = None
        self.archive = Archive(memory, Background(self))
        self.seen = Composite()
        self.seen.set_size(self.size)

    @property
    def rect(self) -> QRect:
        return QRect(QPoint(), self.size)

    # ------------------------------------------------------------------ pixels

    def keep(self, tiles: Mapping[Key, QImage | None]) -> dict[Key, Kept | None]:
        return {key: self.archive.keep(tile) if tile else None for key, tile in tiles.items()}

    def exchange(self, layer: Layer, kept: Stored) -> Stored:
        """Show the tiles that were kept, and keep those that were shown."""
        self.cancel_edit()
        shown = {key: layer.pixels.tile(key) for key in kept}
        layer.pixels.restore(_images(kept))
        self._show_tiles(layer, kept)
        return self.keep(shown)

    def show_rect(self, rect: QRect) -> None:
        """Let the document be what `rect` is of it now; no pixel of a layer is lost."""
        self.cancel_edit()
        by = QPoint() - rect.topLeft()
        self.size = rect.size()
        self.origin += rect.topLeft()
        for layer in self.layers:
            layer.pixels.move(by)
        self.seen.set_size(self.size)
        self.selection = self.selection.moved(by)
        self.resized.emit()
        self.selection_changed.emit()
        self.changed.emit(self.rect)

    def show_change(self, rect: QRect, layer: Layer) -> None:
        """The pixels of `layer` in `rect` are others now."""
        self.seen.invalidate(rect, layer)
        if layer.visible:
            self.changed.emit(rect & self.rect)

    # ------------------------------------------------------------------ layers

    def insert(self, index: int, layer: Layer, kept: Stored | None = None) -> None:
        """Let `layer` be the active one, at `index`, with the pixels that were kept of it."""
        self.cancel_edit()
        if kept:
            layer.pixels.restore(_images(kept))
        self.layers.insert(index, layer)
        self.active = layer
        self._show_layer(layer)

    def take(self, layer: Layer) -> Stored:
        """Remove `layer`, and its pixels to be kept."""
        self.remove(layer)
        tiles = layer.pixels.snapshot().items()
        kept = {key: self.archive.keep(tile, at_leisure=True) for key, tile in tiles if tile}
        layer.pixels.clear()
        return kept

    def remove(self, layer: Layer) -> None:
        """Remove `layer` with its pixels, for good."""
        self.cancel_edit()
        index = self.layers.index(layer)
        self.layers.remove(layer)
        if layer is self.active:
            self.active = self.layers[max(index - 1, 0)] if self.layers else None
        self._show_layer(layer)

    def place(self, layer: Layer, index: int) -> None:
        self.cancel_edit()
        self.layers.remove(layer)
        self.layers.insert(index, layer)
        self._show_layer(layer)

    def apply(self, layer: Layer, values: Mapping[str, Any]) -> None:
        self.cancel_edit()
        for name, value in values.items():
            setattr(layer, name, value)
        if SEEN & set(values):
            self._show_layer(layer)
        else:
            self.layers_changed.emit()

    def set_active(self, layer: Layer | None) -> None:
        self.active = layer
        self.seen.set_layers(self.layers, layer)
        self.layers_changed.emit()

    def _show_layer(self, layer: Layer) -> None:
        self.seen.set_layers(self.layers, self.active)
        self.layers_changed.emit()
        self._show_tiles(layer, layer.pixels.keys())

    def _show_tiles(self, layer: Layer, keys: Iterable[Key]) -> None:
        changed = QRect()
        for key in keys:
            self.seen.invalidate(rect_of(key), layer)
            changed |= rect_of(key)
        if not changed.isEmpty():
            self.changed.emit(changed & self.rect)

    # ------------------------------------------------------------------ the rest

    def exchange_selection(self, selection: Selection) -> Selection:
        self.cancel_edit()
        before, self.selection = self.selection, selection
        self.selection_changed.emit()
        return before

    def keep_selection(self, selection: Selection) -> Callable[[], Selection]:
        """A way to have it back; the mask of a large one is kept as old pixels are."""
        if selection.is_plain:
            return lambda: selection
        place, kept = selection.bounds.topLeft(), self.archive.keep(selection.image())
        return lambda: Selection.from_image(kept.image(), place)

    def commit_edit(self) -> None:
        if self.edit:
            self.edit.commit()

    def cancel_edit(self) -> None:
        """What is being painted is put back: the step that follows knows nothing of it."""
        if self.edit:
            self.edit.cancel()


def _images(kept: Stored) -> dict[Key, QImage | None]:
    return {key: one.image() if one else None for key, one in kept.items()}
