"""A picture in the making: its layers, its selection, and every deed on them as a step of undo."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from PySide6.QtCore import QObject, QPoint, QRect, QSize, Signal
from PySide6.QtGui import QImage, QPainter, QUndoCommand, QUndoStack

from engine.errors import EngineError
from engine.gate.images import MAXIMUM_PIXELS
from engine.metadata import TaskRecord
from studio.canvas import commands
from studio.canvas.composite import flatten
from studio.canvas.contents import Contents
from studio.canvas.edit import Edit, Tiles
from studio.canvas.layer import Layer, LayerKind
from studio.canvas.selection import Selection
from studio.canvas.snapshots import MEMORY
from studio.canvas.tiles import TileStore

MAXIMUM_SIDE = 16384


class Document(QObject):
    """Deeds go on the stack that was handed in, which settings may share."""

    changed = Signal(QRect)  # the rectangle of the composite, in document pixels
    layers_changed = Signal()  # which there are, their order and settings, which one is active
    selection_changed = Signal()
    resized = Signal()

    def __init__(
        self,
        size: QSize,
        undo_stack: QUndoStack,
        parent: QObject | None = None,
        *,
        memory: int = MEMORY,
    ) -> None:
        """`memory`: bytes for the pixels of old steps; raises EngineError for an unusable size."""
        super().__init__(parent)
        check_size(size)
        self.undo_stack = undo_stack
        self._contents = contents = Contents(size, memory, self)
        contents.changed.connect(self.changed)
        contents.layers_changed.connect(self.layers_changed)
        contents.selection_changed.connect(self.selection_changed)
        contents.resized.connect(self.resized)

    @staticmethod
    def from_image(
        image: QImage, undo_stack: QUndoStack, name: str, record: TaskRecord | None = None
    ) -> Document:
        """A new document with one layer, which is no step of undo; raises EngineError."""
        document = Document(image.size(), undo_stack)
        document.replace([Layer(name, pixels=TileStore.from_image(image), record=record)])
        return document

    def replace(
        self,
        layers: Iterable[Layer],
        size: QSize | None = None,
        selection: Selection | None = None,
    ) -> None:
        """Become another document: no step of undo, and none from before remains."""
        size = self.size if size is None else size
        check_size(size)
        self._contents.cancel_edit()
        self.undo_stack.clear()
        for layer in self.layers:
            self._contents.remove(layer)
        self._contents.show_rect(QRect(QPoint(), size))
        for layer in layers:
            self._contents.insert(len(self.layers), layer)
        self._contents.exchange_selection(selection or Selection())

    # ------------------------------------------------------------------ what there is

    @property
    def size(self) -> QSize:
        return QSize(self._contents.size)

    @property
    def rect(self) -> QRect:
        return self._contents.rect

    @property
    def frame(self) -> QRect:
        """Where it is as seen from where it first began: what crops it or extends it moves this."""
        return QRect(self._contents.origin, self.size)

    @property
    def layers(self) -> Sequence[Layer]:
        """From the bottom to the top."""
        return tuple(self._contents.layers)

    @property
    def active(self) -> Layer | None:
        return self._contents.active

    @property
    def selection(self) -> Selection:
        return self._contents.selection

    @property
    def is_empty(self) -> bool:
        """Whether there is no pixel in it."""
        return all(layer.pixels.is_empty for layer in self._contents.layers)

    @property
    def undo_memory(self) -> int:
        """Bytes of memory that the pixels of old steps take."""
        return self._contents.archive.memory

    def layer(self, id: str) -> Layer | None:
        return next((layer for layer in self._contents.layers if layer.id == id), None)

    def composite(self, rect: QRect | None = None) -> QImage:
        """The picture: all visible layers but masks, flattened; transparent outside of it."""
        rect = self.rect if rect is None else rect
        layers = self._contents.layers
        if any(layer.visible and layer.kind is LayerKind.MASK for layer in layers):
            return flatten(layers, rect, self.rect)
        return self._contents.seen.image(0, rect)

    def draw(self, painter: QPainter, rect: QRect, most: int | None = None) -> QRect:
        """Paint what is in `rect`, masks as a tint; the painter is in document pixels.

        With `most`, only about so many tiles are laid over each other; where more have changed it
        looks as before, and that rectangle is given back.
        """
        return self._contents.seen.draw(painter, rect, most)

    def thumbnail(self, layer: Layer, size: QSize) -> QImage:
        return layer.pixels.thumbnail(self.rect, size)

    # ------------------------------------------------------------------ layers

    def add_layer(self, layer: Layer, above: Layer | None = None) -> Layer:
        """Add `layer` above another, or at the top; it becomes the active one."""
        index = self.layers.index(above) + 1 if above else len(self.layers)
        text = self.tr("Add layer")
        self._push(commands.LayerPresence(self._contents, layer, index, text, comes=True))
        return layer

    def remove_layer(self, layer: Layer) -> None:
        text, index = self.tr("Delete layer"), self.layers.index(layer)
        self._push(commands.LayerPresence(self._contents, layer, index, text, comes=False))

    def move_layer(self, layer: Layer, index: int) -> None:
        """Let `layer` be the one at `index`, counted from the bottom."""
        index = min(max(index, 0), len(self.layers) - 1)
        if self.layers.index(layer) != index:
            text = self.tr("Move layer")
            self._push(commands.LayerOrder(self._contents, layer, index, text))

    def change_layer(self, layer: Layer, **values: Any) -> None:
        """Set name, opacity (0 to 1), blend_mode, visible, locked, kind or record."""
        new = {name: value for name, value in values.items() if getattr(layer, name) != value}
        if new:
            text = self.tr("Change layer")
            self._push(commands.LayerChange(self._contents, layer, new, text))

    def set_active(self, layer: Layer | None) -> None:
        """Choose the layer that is painted on; no step of undo."""
        if layer is not self.active and (layer is None or layer in self.layers):
            self._contents.commit_edit()
            self._contents.set_active(layer)

    def edit(self, layer: Layer, text: str, *, everywhere: bool = False) -> Edit:
        """Paint on `layer` as one step named `text`, within the selection unless `everywhere`.

        Raises EngineError where it is locked.
        """
        if layer.locked:
            raise EngineError(
                self.tr("The layer {} is locked.").format(layer.name),
                self.tr("Unlock it in the list of layers, or choose another."),
            )
        contents = self._contents
        contents.commit_edit()

        def finish(before: Tiles) -> None:
            contents.edit = None
            if before:
                self.undo_stack.push(commands.PixelChange(contents, layer, before, text))

        within = Selection() if everywhere else self.selection
        contents.edit = Edit(layer, within, contents.show_change, finish)
        return contents.edit

    # ------------------------------------------------------------------ the whole

    def set_selection(self, selection: Selection, text: str = "") -> None:
        if selection != self.selection:
            text = text or self.tr("Select")
            self._push(commands.SelectionChange(self._contents, selection, text))

    def resize(self, rect: QRect, text: str = "") -> None:
        """Crop or extend to `rect`; what is outside stays in the layers. Raises EngineError."""
        check_size(rect.size())
        if rect != self.rect:
            self._push(commands.Resize(self._contents, rect, text or self.tr("Resize document")))

    def clear(self) -> None:
        """Remove all layers and the selection, as one step."""
        self.undo_stack.beginMacro(self.tr("Clear document"))
        self.set_selection(Selection())
        for layer in reversed(self.layers):
            self.remove_layer(layer)
        self.undo_stack.endMacro()

    def open_layers(self, layers: Iterable[Layer], size: QSize, text: str) -> None:
        """Let these be the whole document, as one step named `text`; raises EngineError."""
        check_size(size)
        self.undo_stack.beginMacro(text)
        self.clear()
        self.resize(QRect(QPoint(), size))
        for layer in layers:
            self.add_layer(layer)
        self.undo_stack.endMacro()

    def open_image(
        self,
        image: QImage,
        name: str,
        record: TaskRecord | None = None,
        kind: LayerKind = LayerKind.RASTER,
    ) -> Layer:
        """Let `image` be the whole document, as one step; raises EngineError."""
        check_size(image.size())
        layer = Layer(name, kind, TileStore.from_image(image), record=record)
        self.open_layers([layer], image.size(), self.tr("Open {}").format(name))
        return layer

    def _push(self, command: QUndoCommand) -> None:
        self._contents.commit_edit()
        self.undo_stack.push(command)


def check_size(size: QSize) -> None:
    """Raises EngineError for a size that no document can have.

    One that has more pixels than `open_image` reads could be saved, but never opened again.
    """
    width, height = size.width(), size.height()
    if min(width, height) < 1:
        raise EngineError(
            f"A document cannot be {width}×{height} pixels.", "Make each side at least one pixel."
        )
    if max(width, height) > MAXIMUM_SIDE or width * height > MAXIMUM_PIXELS:
        raise EngineError(
            f"{width}×{height} pixels are more than a document can have.",
            f"At most {MAXIMUM_SIDE} on a side, "
            f"and {MAXIMUM_PIXELS // 1_000_000} million altogether.",
        )
