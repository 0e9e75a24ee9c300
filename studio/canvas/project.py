"""A document as a project and back: what is saved is a snapshot, which costs the window nothing.

Tiles are never changed, only replaced; so a snapshot holds them, and another thread can take its
time to encode them while a person paints on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint, QSize

from engine.errors import FileError
from engine.metadata import TaskRecord
from engine.projects.autosave import Mask, Session
from engine.projects.contents import Contents, LayerEntry, Tile
from engine.projects.pixels import decode_mask, encode_mask
from engine.projects.project_file import damaged
from studio.canvas.document import Document, check_size
from studio.canvas.layer import BlendMode, Layer, LayerKind
from studio.canvas.project_pixels import Tiles, stored_tiles, tile_bytes
from studio.canvas.selection import Selection
from studio.canvas.tiles import TileStore


@dataclass(frozen=True)
class Snapshot:
    """A document at one moment."""

    contents: Contents
    tiles: Mapping[str, Tiles]
    """By the id of the layer."""
    selection: Selection

    @property
    def size(self) -> QSize:
        return QSize(self.contents.width, self.contents.height)

    def layers(self) -> list[Layer]:
        """Layers that no document has, for any thread."""
        layers = []
        for entry in self.contents.layers:
            pixels = TileStore()
            pixels.restore(self.tiles[entry.id])
            layers.append(layer_of(entry, pixels))
        return layers


@dataclass(frozen=True)
class Opened:
    """What was read, ready to be shown."""

    contents: Contents
    layers: Sequence[Layer]
    selection: Selection
    path: Path | None = None
    unsaved: bool = False
    keys: Mapping[object, object] | None = None
    """Of an autosave: the keys that its tiles have now, and those by which they were stored."""
    lost: int = 0
    """Tiles that could not be read, which are transparent now, and settings of layers and tasks."""


# ------------------------------------------------------------------ on the thread of the window


def take_snapshot(
    document: Document,
    settings: Mapping[str, Any],
    view: Mapping[str, Any],
    history: Sequence[TaskRecord] = (),
) -> Snapshot:
    """Quick, however large the document is."""
    active = document.active
    contents = Contents(
        document.size.width(),
        document.size.height(),
        tuple(_entry(layer) for layer in document.layers),
        active.id if active else "",
        dict(settings),
        dict(view),
        tuple(history),
    )
    tiles = {
        layer.id: {at: tile for at, tile in layer.pixels.snapshot().items() if tile is not None}
        for layer in document.layers
    }
    return Snapshot(contents, tiles, document.selection)


def empty(size: QSize) -> Opened:
    return Opened(Contents(size.width(), size.height()), [], Selection())


def show(document: Document, opened: Opened) -> None:
    """Let `document` be what was read. No step of undo, and none from before remains."""
    size = QSize(opened.contents.width, opened.contents.height)
    document.replace(opened.layers, size, opened.selection)
    document.set_active(document.layer(opened.contents.active))


def _entry(layer: Layer) -> LayerEntry:
    return LayerEntry(
        layer.id,
        layer.name,
        layer.kind.value,
        layer.opacity,
        layer.blend_mode.value,
        layer.visible,
        layer.locked,
        layer.record,
    )


def layer_of(entry: LayerEntry, pixels: TileStore) -> Layer:
    """Raises ValueError for a kind or a blend mode that there is not."""
    return Layer(
        entry.name,
        LayerKind(entry.kind),
        pixels,
        opacity=entry.opacity,
        blend_mode=BlendMode(entry.blend_mode),
        visible=entry.visible,
        locked=entry.locked,
        record=entry.record,
        id=entry.id,
    )


# ------------------------------------------------------------------ the autosave, on any thread


def session_of(snapshot: Snapshot, path: Path | None, unsaved: bool) -> Session:
    tiles = {
        layer: {at: Tile(tile.cacheKey(), partial(tile_bytes, tile)) for at, tile in held.items()}
        for layer, held in snapshot.tiles.items()
    }
    selection, mask = snapshot.selection, None
    if not selection.is_empty:
        place = selection.bounds.topLeft()
        mask = Mask(place.x(), place.y(), _key(selection), partial(mask_png, selection))
    return Session(snapshot.contents, tiles, mask, str(path or ""), unsaved)


def opened_session(folder: Path, session: Session) -> Opened:
    """All that can be read of what was autosaved in `folder`; raises EngineError."""
    contents, layers, keys = session.contents, [], dict[object, object]()
    lost = contents.lost_records
    check_size(QSize(contents.width, contents.height))
    for entry in contents.layers:
        store, known, gone = stored_tiles(session.tiles[entry.id])
        try:
            layers.append(layer_of(entry, store))
        except ValueError as error:
            raise damaged(folder, error) from error
        keys |= known
        lost += gone
    selection = Selection()
    if session.selection:
        mask = session.selection
        try:
            selection = Selection(decode_mask(mask.read()), QPoint(mask.x, mask.y))
            keys[_key(selection)] = mask.key
        except (FileError, ValueError):
            lost += 1
    path = Path(session.path) if session.path else None
    return Opened(contents, layers, selection, path, session.unsaved, keys, lost)


def _key(selection: Selection) -> object:
    """For as long as somebody holds it: selections are never changed, only replaced."""
    return "selection", id(selection)


def mask_png(selection: Selection) -> bytes:
    return encode_mask(selection.mask(selection.bounds))
