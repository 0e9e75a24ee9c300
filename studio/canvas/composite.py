"""The layers laid over each other, cached tile by tile; only what has changed is composed again.

Level 0 has the document's own pixels, level n has half those of level n - 1, for zoomed-out views.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from studio.canvas.layer import BlendMode, Layer, LayerKind
from studio.canvas.tiles import SIDE, Key, blank, keys_of, rect_of
from studio.colors import colors

_Mode = QPainter.CompositionMode
DEEPEST = 6  # one tile of this level holds the largest document


def flatten(layers: Iterable[Layer], rect: QRect, area: QRect | None = None) -> QImage:
    """The visible layers over each other in `rect`, but for masks, without any cache.

    Outside of `area` it is transparent.
    """
    image = blank(rect.size())
    part = rect if area is None else rect & area
    painter = QPainter(image)
    for layer in layers:
        if layer.visible and layer.kind is not LayerKind.MASK:
            _blend(painter, layer)
            painter.drawImage(part.topLeft() - rect.topLeft(), layer.pixels.image(part))
    painter.end()
    return image


class Composite:
    """What is seen of a document: asked for any rectangle at any level, told what has changed."""

    def __init__(self) -> None:
        self._layers: Sequence[Layer] = ()
        self._active: Layer | None = None
        self._area = QRect()
        self._tiles: list[dict[Key, QImage | None]] = [{} for _ in range(DEEPEST + 1)]
        self._dirty: list[dict[Key, QRect]] = [{} for _ in range(DEEPEST + 1)]
        self._below: dict[Key, QImage] = {}
        self._tint = colors().accent

    # ------------------------------------------------------------------ what has changed

    def set_size(self, size: QSize) -> None:
        """The document is another rectangle now: nothing is as it was."""
        self._area = QRect(QPoint(), size)
        for level in range(DEEPEST + 1):
            self._tiles[level].clear()
            self._dirty[level].clear()
        self._below.clear()

    def set_layers(self, layers: Sequence[Layer], active: Layer | None) -> None:
        """Compose these, from the bottom to the top; `active` is going to be painted on.

        Where a layer has come, gone or changed, `invalidate` has to be told besides.
        """
        self._layers, self._active = tuple(layers), active
        self._below.clear()

    def invalidate(self, rect: QRect, layer: Layer | None = None) -> None:
        """What is in `rect` has changed, of `layer` alone where that is known."""
        rect = rect & self._area
        if layer is None or layer is not self._active:
            for key in keys_of(rect):
                self._below.pop(key, None)
        for level in range(DEEPEST + 1):
            at_level = outer(rect, level)
            for key in keys_of(at_level):
                if key in self._tiles[level]:
                    dirty = self._dirty[level].get(key, QRect())
                    self._dirty[level][key] = dirty | (at_level & rect_of(key))

    # ------------------------------------------------------------------ what is seen

    def draw(self, painter: QPainter, rect: QRect, most: int | None = None) -> QRect:
        """Paint what is in `rect`, at the level that suits the scale of the painter.

        With `most`, no more than about so many tiles are laid over each other: the rest is shown
        as it was before, and told by the rectangle of the document that is given back.
        """
        if self._tint != colors().accent:  # another theme
            self._tint = colors().accent
            self.invalidate(self._area)
        scale, level = painter.deviceTransform().m11(), 0
        while scale * 2 ** (level + 1) <= 1 and level < DEEPEST:
            level += 1
        # One more pixel all around, so that a part is smoothed as the whole would be.
        part = outer(rect & self._area, level).adjusted(-1, -1, 1, 1) & outer(self._area, level)
        if part.isEmpty():
            return QRect()
        late = self._prepare(level, part, most) if most is not None else set()
        side = 1 << level
        place = QRectF(part.topLeft() * side, part.size() * side)
        painter.drawImage(place, self.image(level, part, late))
        area = QRect()
        for key in late:
            area |= QRect(rect_of(key).topLeft() * side, rect_of(key).size() * side)
        return area & rect

    def image(self, level: int, rect: QRect, late: Collection[Key] = ()) -> QImage:
        """The pixels in `rect`, which counts in pixels of that level; tiles `late` as they were."""
        image = blank(rect.size())
        painter = QPainter(image)
        painter.setCompositionMode(_Mode.CompositionMode_Source)
        for key in keys_of(rect & outer(self._area, level)):
            tile = self._tiles[level].get(key) if key in late else self.tile(level, key)
            if tile is not None:
                painter.drawImage(rect_of(key).topLeft() - rect.topLeft(), tile)
        painter.end()
        return image

    def _prepare(self, level: int, part: QRect, most: int) -> set[Key]:
        """Compose what of `part` has changed, as far as `most` reaches; the tiles that are left."""
        for key in keys_of(part):
            most = self._refresh(level, key, most)
        return {key for key in keys_of(part) if self._stale(level, key)}

    def _refresh(self, level: int, key: Key, most: int) -> int:
        """Compose a tile and what it is made of while `most` lasts; what is left of that."""
        dirty = self._stale(level, key)
        if dirty is None:
            return most
        if level == 0:
            if most > 0:
                self.tile(level, key)
            return most - max(len(self._layers_in(key)), 1)
        finer = [one for one, _ in _quarters(key, dirty)]
        for one in finer:
            most = self._refresh(level - 1, one, most)
        if not any(self._stale(level - 1, one) for one in finer):
            self.tile(level, key)
        return most

    def _stale(self, level: int, key: Key) -> QRect | None:
        """Where that tile is not what it should be."""
        if key not in self._tiles[level]:
            return rect_of(key)
        return self._dirty[level].get(key)

    def tile(self, level: int, key: Key) -> QImage | None:
        """None where it is transparent all over."""
        tiles, dirty = self._tiles[level], self._stale(level, key)
        if dirty is not None:
            self._dirty[level].pop(key, None)
            make = self._composed if level == 0 else self._halved
            # Out of the list, so that it is painted on and not on a copy.
            tiles[key] = make(level, key, dirty, tiles.pop(key, None))
        return tiles[key]

    def _composed(self, level: int, key: Key, dirty: QRect, old: QImage | None) -> QImage | None:
        layers = self._layers_in(key)
        area, dirty = rect_of(key), dirty & self._area
        if not layers or dirty.isEmpty():
            return None
        alone = layers[0]
        if len(layers) == 1 and _is_plain(alone) and self._area.contains(area):
            # Shared with the layer; painting on one of them parts them.
            return QImage(alone.pixels.tile(key) or blank(area.size()))
        tile = blank(area.size()) if old is None else old
        painter = QPainter(tile)
        painter.translate(-area.topLeft())
        painter.setClipRect(dirty)
        below, layers = self._split(key, layers, painting=old is not None)
        painter.setCompositionMode(_Mode.CompositionMode_Source)
        if below is not None:
            painter.drawImage(area.topLeft(), below)
        elif old is not None:
            painter.fillRect(dirty, Qt.GlobalColor.transparent)
        self._lay(painter, layers, key)
        painter.end()
        return tile

    def _layers_in(self, key: Key) -> list[Layer]:
        """Those of which there is anything to be seen in that tile."""
        return [x for x in self._layers if x.visible and x.pixels.tile(key) is not None]

    def _split(
        self, key: Key, layers: list[Layer], *, painting: bool
    ) -> tuple[QImage | None, list[Layer]]:
        """What lies below the active layer, composed once and kept, and the layers over that."""
        if self._active not in layers:
            return None, layers
        count = layers.index(self._active)
        if count < 2:
            return None, layers
        below = self._below.get(key)
        if below is None:
            if not painting:
                return None, layers
            below = self._below[key] = blank(rect_of(key).size())
            painter = QPainter(below)
            painter.translate(-rect_of(key).topLeft())
            self._lay(painter, layers[:count], key)
            painter.end()
        return below, layers[count:]

    def _lay(self, painter: QPainter, layers: list[Layer], key: Key) -> None:
        for layer in layers:
            tile = layer.pixels.tile(key)
            assert tile is not None
            _blend(painter, layer)
            if layer.kind is LayerKind.MASK:
                tile = _tinted(tile, self._tint)
            painter.drawImage(rect_of(key).topLeft(), tile)

    def _halved(self, level: int, key: Key, dirty: QRect, old: QImage | None) -> QImage | None:
        """The tiles of the level before, each at half its size in its quarter."""
        parts = [(self.tile(level - 1, finer), place) for finer, place in _quarters(key, dirty)]
        if old is None and not any(part for part, _ in parts):
            return None
        tile = blank(QSize(SIDE, SIDE)) if old is None else old
        painter = QPainter(tile)
        painter.setClipRect(dirty.translated(-rect_of(key).topLeft()))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setCompositionMode(_Mode.CompositionMode_Source)
        for part, place in parts:
            if part is None:
                painter.fillRect(place, Qt.GlobalColor.transparent)
            else:
                painter.drawImage(place, part)
        painter.end()
        return tile


def _quarters(key: Key, dirty: QRect) -> list[tuple[Key, QRect]]:
    """The tiles of the level before that `dirty` touches, and where they lie in this one."""
    half, corner = SIDE // 2, rect_of(key).topLeft()
    places = [(x, y, QRect(x * half, y * half, half, half)) for x in (0, 1) for y in (0, 1)]
    return [
        ((key[0] * 2 + x, key[1] * 2 + y), place)
        for x, y, place in places
        if place.translated(corner).intersects(dirty)
    ]


def outer(rect: QRect, level: int) -> QRect:
    """The pixels of a level that `rect`, in pixels of the document, touches."""
    if rect.isEmpty():
        return QRect()
    side = 1 << level
    left, top = rect.left() // side, rect.top() // side
    return QRect(left, top, rect.right() // side - left + 1, rect.bottom() // side - top + 1)


def _blend(painter: QPainter, layer: Layer) -> None:
    painter.setOpacity(layer.opacity)
    painter.setCompositionMode(layer.blend_mode.composition_mode)


def _is_plain(layer: Layer) -> bool:
    normal = layer.blend_mode is BlendMode.NORMAL and layer.kind is not LayerKind.MASK
    return normal and layer.opacity == 1.0


def _tinted(tile: QImage, tint: QColor) -> QImage:
    image = QImage(tile)
    painter = QPainter(image)
    painter.setCompositionMode(_Mode.CompositionMode_SourceIn)
    painter.fillRect(image.rect(), tint)
    painter.end()
    return image
