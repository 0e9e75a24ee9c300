"""Results over the canvas until a person decides; nothing below them is touched before that."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, QPoint, QRect, QSize, Signal
from PySide6.QtGui import QImage, QPainter, QUndoCommand, QUndoStack

from engine.errors import FileError
from engine.metadata import TaskRecord
from studio import images
from studio.background import Background
from studio.canvas.document import Document
from studio.canvas.layer import Layer, LayerKind
from studio.canvas.selection import Selection
from studio.canvas.tiles import TileStore
from studio.canvas.view import CanvasView, Staged
from studio.image_reader import read_picture
from studio.scenes import Origins

MOST = 99
"""Results that can be gone through; older ones are still in the strip."""
KEPT = 4
"""Pictures kept decoded; the others are read again when they are gone to."""


@dataclass(frozen=True)
class Place:
    """Where on the canvas a result belongs."""

    rect: QRect = field(default_factory=QRect)
    """In pixels of the document; empty for a picture that stands for itself."""
    selection: Selection | None = None
    """What alone has been drawn anew; its edges the task has softened already."""
    frame: QRect = field(default_factory=QRect)
    """`Document.frame` as it was when this was noted."""

    @property
    def reaches_beyond(self) -> bool:
        """Whether the document was to be extended."""
        return not QRect(QPoint(), self.frame.size()).contains(self.rect)

    def rect_in(self, document: Document) -> QRect:
        """The same place, whatever has been cropped or extended since; empty as `rect` is."""
        if self.rect.isEmpty():
            return QRect()
        return self.rect.translated(self.frame.topLeft() - document.frame.topLeft())


@dataclass(frozen=True)
class Result:
    """A finished picture that may become a layer."""

    path: Path
    place: Place = field(default_factory=Place)
    record: TaskRecord | None = None
    name: str = ""


class Staging(QObject):
    """Shows one result at a time over the document of `view`; `accept` makes a layer of it."""

    changed = Signal()
    settled = Signal()  # which results there are, or the one that is shown: no preview
    failed = Signal(object)  # FileError: a result has gone

    def __init__(
        self, view: CanvasView, undo_stack: QUndoStack, origins: Origins, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._view = view
        self._origins = origins
        self._undo_stack = undo_stack
        self._results: list[Result] = []
        self._index = -1
        self._images: OrderedDict[Path, QImage] = OrderedDict()
        self._preview: Staged | None = None
        self._background = Background(self)
        self.document.resized.connect(self._show)

    # ------------------------------------------------------------------ what is shown

    @property
    def view(self) -> CanvasView:
        return self._view

    @property
    def document(self) -> Document:
        return self._view.document

    @property
    def current(self) -> Result | None:
        """The result that is shown, or would be but for the preview over it."""
        return self._results[self._index] if self._results else None

    @property
    def path(self) -> Path | None:
        """The file of the result that is shown."""
        return self.current.path if self.current and not self.is_preview else None

    @property
    def is_preview(self) -> bool:
        """Whether what is shown is half made."""
        return self._preview is not None

    @property
    def image(self) -> QImage:
        """What is shown over the document; null where nothing is."""
        shown = self._preview or self._staged()
        return shown.image if shown else QImage()

    @property
    def index(self) -> int:
        return self._index

    @property
    def count(self) -> int:
        return len(self._results)

    # ------------------------------------------------------------------ what comes and goes

    def offer(self, result: Result, image: QImage) -> None:
        """Show a new result; those offered before it can still be gone back to."""
        others = [known for known in self._results if known.path != result.path]
        self._keep(result.path, image)
        self.restore([*others, result][-MOST:], -1)

    def show_only(self, result: Result, image: QImage) -> None:
        """Show a picture that was chosen elsewhere, unless it is one of those there are."""
        self._keep(result.path, image)
        paths = [known.path for known in self._results]
        if result.path in paths:
            self.restore(self._results, paths.index(result.path))
        else:
            self.restore([result], 0)

    def show_preview(self, image: QImage, place: Place) -> None:
        """A half-made picture, over whatever result there is."""
        rect = place.rect_in(self.document) or QRect(QPoint(), image.size())
        self._preview = Staged(image, rect, alone=not place.rect)
        self._show()

    def hide_preview(self) -> None:
        if self._preview is not None:
            self._preview = None
            self._show()

    def step(self, delta: int) -> None:
        """Go to the next result, or back."""
        if self._results:
            index = min(max(self._index + delta, 0), len(self._results) - 1)
            self.restore(self._results, index)

    def discard(self) -> None:
        """Show what is below again; the files stay where they are."""
        self.restore([], -1)

    def restore(self, results: Sequence[Result], index: int) -> None:
        """Show one of these; pictures that are not at hand any more are read again."""
        self._results, self._preview = list(results), None
        self._index = index % len(results) if results else -1
        missing = self.current
        if missing and missing.path not in self._images:
            self._background.run(lambda: read_picture(missing.path), self._take)
        self._show()
        self.settled.emit()

    def state(self) -> tuple[list[Result], int]:
        """The results and which of them is shown; `restore` takes them."""
        return list(self._results), self._index

    def accept(self) -> Layer | None:
        """Make a layer of the result that is shown, as one step of undo."""
        result = self.current
        if result is None or result.path not in self._images:
            return None
        image = self._images[result.path]
        before = (self._results, self._index)
        self._undo_stack.beginMacro(self.tr("accepted result"))
        self._undo_stack.push(_Decision(self, *before))
        layer = self._add_layer(result, image)
        self._undo_stack.endMacro()
        self._origins.note(self.document, layer, result.path)
        return layer

    def _keep(self, path: Path, image: QImage) -> None:
        self._images[path] = image
        self._images.move_to_end(path)
        while len(self._images) > KEPT:
            self._images.popitem(last=False)

    def _take(self, read: tuple[Path, QImage | FileError]) -> None:
        path, image = read
        if isinstance(image, FileError):
            self.restore([known for known in self._results if known.path != path], -1)
            self.failed.emit(image)
        else:
            self._keep(path, image)
            self._show()

    def _add_layer(self, result: Result, image: QImage) -> Layer:
        rect = result.place.rect_in(self.document)
        if not rect:
            rect = QRect(QPoint(), image.size())
            if self.document.size != rect.size():
                self._put_aside()
                self.document.resize(rect)
        elif result.place.reaches_beyond and not self.document.rect.contains(rect):
            frame = self.document.rect.united(rect)
            self.document.resize(frame)
            rect = rect.translated(-frame.topLeft())
        layer = Layer(result.name or self.tr("Result"), LayerKind.GENERATED, record=result.record)
        layer.pixels = TileStore.from_image(_cut(image, result.place, rect.size()), rect.topLeft())
        self.document.add_layer(layer)
        return layer

    def _put_aside(self) -> None:
        """A picture of another size stands for itself: what was there is hidden, not lost."""
        for layer in self.document.layers:
            if layer.visible:
                self.document.change_layer(layer, visible=False)

    def _staged(self) -> Staged | None:
        result = self.current
        image = self._images.get(result.path) if result else None
        if result is None or image is None:
            return None
        rect = result.place.rect_in(self.document) or QRect(QPoint(), image.size())
        other = rect.size() != self.document.size or self.document.is_empty
        return Staged(image, rect, alone=not result.place.rect and other)

    def _show(self) -> None:
        self._view.set_staged(self._preview or self._staged())
        self.changed.emit()


def _cut(image: QImage, place: Place, size: QSize) -> QImage:
    """The pixels of the layer: as large as its place, and only what was drawn anew."""
    if image.size() != size:
        image = images.resized(image, size.width(), size.height())
    if place.selection is None:
        return image
    mask = place.selection.mask(QRect(place.rect.topLeft(), size))
    touched = images.from_array(np.where(mask > 0, 255, 0).astype(np.uint8))
    cut = image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
    painter = QPainter(cut)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_DestinationIn)
    touched.reinterpretAsFormat(QImage.Format.Format_Alpha8)
    painter.drawImage(0, 0, touched)
    painter.end()
    return cut


class _Decision(QUndoCommand):
    """That one of the results was accepted: going back shows them all again."""

    def __init__(self, staging: Staging, results: Sequence[Result], index: int) -> None:
        super().__init__()
        self._staging = staging
        self._before = (results, index)

    def undo(self) -> None:
        self._staging.restore(*self._before)

    def redo(self) -> None:
        self._staging.restore([], -1)
