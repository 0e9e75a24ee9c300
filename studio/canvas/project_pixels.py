"""Tiles of a layer as the pictures and bytes of a project, and back. Runs on any thread.

Everything goes tile by tile or strip by strip: Qt's calls hold Python's lock, and one call for a
picture of 4096 × 4096 would be felt in the window.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtCore import QPoint, QRect, QSize
from PySide6.QtGui import QImage

from engine.errors import FileError
from engine.gate.images import MAXIMUM_PIXELS
from engine.projects.contents import Tiles as StoredTiles
from engine.projects.pixels import digest, encode_layer, straight
from studio.canvas.composite import flatten
from studio.canvas.layer import Layer
from studio.canvas.tiles import FORMAT, SIDE, Key, TileStore, rect_of

BLOCK = 16 * SIDE
"""Pixels along a side of the pictures into which a layer is cut that is too large for one."""

Pixels = NDArray[np.uint8]
Tiles = Mapping[Key, QImage]
Part = tuple[QRect, str]
"""Where a picture lies in its layer, and the hash of its pixels."""

_RGBA = QImage.Format.Format_RGBA8888_Premultiplied


def tile_bytes(tile: QImage) -> bytes:
    """Premultiplied RGBA."""
    return _pixels(tile).tobytes()


def stored_tiles(tiles: StoredTiles) -> tuple[TileStore, dict[object, object], int]:
    """The tiles that can be read, which key each of them had, and how many are lost."""
    store, keys, lost = TileStore(), dict[object, object](), 0
    for at, stored in tiles.items():
        try:
            tile = QImage(stored.read(), SIDE, SIDE, SIDE * 4, _RGBA).convertToFormat(FORMAT)
        except FileError:
            lost += 1
            continue
        store.restore({at: tile})
        keys[tile.cacheKey()] = stored.key
    return store, keys, lost


def signature(tiles: Tiles) -> frozenset[object]:
    """Equal only for layers whose pixels are equal; takes no look at them."""
    return frozenset((at, tile.cacheKey()) for at, tile in tiles.items())


def parts_of(tiles: Tiles) -> list[Part]:
    """The pictures that hold all of a layer that is not transparent: one, unless it is huge."""
    return [(rect, digest(_joined(tiles, rect))) for rect in _rects(tiles)]


def png_of(tiles: Tiles, rect: QRect) -> bytes:
    return encode_layer(_joined(tiles, rect))


def put_pixels(store: TileStore, x: int, y: int, pixels: Pixels) -> None:
    """Put premultiplied RGBA into `store`, its first pixel at x, y."""
    for place, part in _cut(QRect(x, y, pixels.shape[1], pixels.shape[0]), pixels):
        store.put(part, place)


def flattened(layers: list[Layer], size: QSize) -> Image.Image:
    """What is seen of the layers in a document of that size; RGB where nothing is transparent."""
    whole = np.empty((size.height(), size.width(), 4), np.uint8)
    for top in range(0, size.height(), SIDE):
        rows = min(SIDE, size.height() - top)
        strip = flatten(layers, QRect(0, top, size.width(), rows))
        whole[top : top + rows] = straight(_pixels(strip))
    image = Image.fromarray(whole, "RGBA")
    return image.convert("RGB") if (whole[:, :, 3] == 255).all() else image


def _pixels(image: QImage) -> Pixels:
    """Shape (H, W, 4), premultiplied RGBA."""
    image = image.convertToFormat(_RGBA)
    pixels = np.frombuffer(image.constBits(), np.uint8)
    return pixels.reshape(image.height(), image.width(), 4).copy()


def _rects(tiles: Tiles) -> Iterator[QRect]:
    store = TileStore()
    store.restore(tiles)
    bounds = store.bounds()
    if bounds.width() * bounds.height() <= MAXIMUM_PIXELS:
        if not bounds.isEmpty():
            yield bounds
        return
    blocks: dict[tuple[int, int], TileStore] = {}
    for (column, row), tile in tiles.items():
        place = (column * SIDE // BLOCK, row * SIDE // BLOCK)
        blocks.setdefault(place, TileStore()).restore({(column, row): tile})
    for block in blocks.values():
        yield block.bounds()


def _joined(tiles: Tiles, rect: QRect) -> Pixels:
    whole = np.zeros((rect.height(), rect.width(), 4), np.uint8)
    for key, tile in tiles.items():
        both = rect_of(key) & rect
        if not both.isEmpty():
            whole[_slices(both, rect)] = _pixels(tile)[_slices(both, rect_of(key))]
    return whole


def _cut(rect: QRect, pixels: Pixels) -> Iterator[tuple[QPoint, QImage]]:
    """The parts of a picture that lie on one tile each."""
    for top in range(rect.top() // SIDE * SIDE, rect.bottom() + 1, SIDE):
        for left in range(rect.left() // SIDE * SIDE, rect.right() + 1, SIDE):
            part = QRect(left, top, SIDE, SIDE) & rect
            data = np.ascontiguousarray(pixels[_slices(part, rect)])
            size = part.size()
            image = QImage(data.data, size.width(), size.height(), size.width() * 4, _RGBA)
            yield part.topLeft(), image.convertToFormat(FORMAT)


def _slices(part: QRect, whole: QRect) -> tuple[slice, slice]:
    left, top = part.left() - whole.left(), part.top() - whole.top()
    return slice(top, top + part.height()), slice(left, left + part.width())
