"""Looks at a document as Generate does: what there is to see, where it ends, what is marked."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import numpy as np
from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QImage, QPainter

from studio import images
from studio.canvas.document import Document
from studio.canvas.layer import BlendMode, Layer, LayerKind
from studio.canvas.selection import Selection
from studio.canvas.tiles import Key
from studio.requests import Scene

SAMPLE = 96
"""Pixels of the side of the small picture that holes are looked for in."""
OPAQUE = 250
ORIGINS = 8


def scene_of(document: Document) -> Scene:
    """What Generate looks at."""
    picture = QRect()
    for layer in document.layers:
        if layer.visible and layer.kind is not LayerKind.MASK:
            picture = picture.united(layer.pixels.bounds() & document.rect)
    solid = picture.isEmpty() or picture == document.rect or _is_solid(document, picture)
    return Scene(document.rect, picture, marked(document).bounds, solid)


def marked(document: Document) -> Selection:
    """What is selected, else what the visible masks cover."""
    if not document.selection.is_empty:
        return document.selection
    found = Selection()
    for layer in document.layers:
        if layer.kind is LayerKind.MASK and layer.visible and not layer.pixels.is_empty:
            bounds = layer.pixels.bounds()
            mask = Selection.from_image(layer.pixels.image(bounds), bounds.topLeft())
            found = found.union(mask)
    return found


def _is_solid(document: Document, picture: QRect) -> bool:
    """Whether the picture hides all that is behind it, but for its edges."""
    size = picture.size().boundedTo(QSize(SAMPLE, SAMPLE))
    small = QImage(size, QImage.Format.Format_ARGB32_Premultiplied)
    small.fill(0)
    painter = QPainter(small)
    painter.scale(size.width() / picture.width(), size.height() / picture.height())
    painter.translate(-picture.topLeft())
    document.draw(painter, picture)
    painter.end()
    alpha = images.to_array(small)[1:-1, 1:-1, 3]
    return bool(alpha.size == 0 or alpha.min() >= OPAQUE)


class Origins:
    """Which file a layer was made of, as long as it is that picture and nothing else is seen."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[Path, QSize, dict[Key, QImage | None]]] = OrderedDict()

    def note(self, document: Document, layer: Layer, path: Path) -> None:
        """`layer`, as it is now, is the picture at `path` over the whole document."""
        self._known[layer.id] = (path, document.size, layer.pixels.snapshot())
        while len(self._known) > ORIGINS:
            self._known.popitem(last=False)

    def path_of(self, document: Document) -> Path | None:
        """The file that the whole document looks like, if there is one."""
        seen = [layer for layer in document.layers if layer.visible and not layer.pixels.is_empty]
        if len(seen) != 1 or seen[0].id not in self._known:
            return None
        layer = seen[0]
        path, size, pixels = self._known[layer.id]
        plain = layer.opacity == 1.0 and layer.blend_mode is BlendMode.NORMAL
        same = plain and size == document.size and layer.pixels.snapshot() == pixels
        return path if same and path.exists() else None


def mask_picture(selection: Selection, rect: QRect) -> QImage:
    """The part of the selection in `rect`, white on black, as tasks read it."""
    return images.from_array(np.ascontiguousarray(selection.mask(rect)))
