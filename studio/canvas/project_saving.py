"""Project files and flattened pictures from a snapshot, and documents from files; on any thread."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PIL import Image
from PySide6.QtCore import QPoint, QRect, QSize

from engine import metadata
from engine.errors import FileError
from engine.metadata import TaskRecord
from engine.projects.contents import Picture
from engine.projects.pixels import digest
from engine.projects.project_file import (
    Project,
    damaged,
    layer_pixels,
    mask_pixels,
    read_member,
    read_project,
    write_project,
)
from engine.projects.task_inputs import keep_inputs
from studio.canvas.document import check_size
from studio.canvas.layer import LayerKind
from studio.canvas.project import Opened, Snapshot, layer_of, mask_png
from studio.canvas.project_pixels import (
    Part,
    Tiles,
    flattened,
    parts_of,
    png_of,
    put_pixels,
    signature,
)
from studio.canvas.selection import Selection
from studio.canvas.tiles import TileStore

PREVIEW = 1024
"""Pixels along the longer side of the preview, at most."""


class Written:
    """What a project file holds of layers, so that unchanged ones are copied and not made again."""

    def __init__(
        self,
        path: Path | None = None,
        parts: Mapping[frozenset[object], list[Part]] | None = None,
    ) -> None:
        self._path = path
        self._parts = dict(parts or {})

    def parts(self, tiles: Tiles) -> list[Part]:
        known = self._parts.get(signature(tiles))
        return parts_of(tiles) if known is None else known

    def picture(self, tiles: Tiles, part: Part) -> Picture:
        rect, name = part
        return Picture(rect.x(), rect.y(), name, partial(self._png, tiles, part))

    def _png(self, tiles: Tiles, part: Part) -> bytes:
        if self._path and any(part in parts for parts in self._parts.values()):
            with suppress(FileError):  # somebody has removed or changed it
                return read_member(self._path, f"layers/{part[1]}.png")
        return png_of(tiles, part[0])


@dataclass(frozen=True)
class Read:
    """A project that has been read, and what its file holds."""

    opened: Opened
    written: Written


def save_project(
    path: Path,
    snapshot: Snapshot,
    inputs: Mapping[str, Callable[[], bytes]],
    written: Written,
) -> Written:
    """Write the project; `written` is the file that was written or opened before.

    Raises FileError.
    """
    parts = {layer: written.parts(tiles) for layer, tiles in snapshot.tiles.items()}
    pictures = {
        layer: [written.picture(tiles, part) for part in parts[layer]]
        for layer, tiles in snapshot.tiles.items()
    }
    selection, mask = snapshot.selection, None
    if not selection.is_empty:
        place, values = selection.bounds.topLeft(), selection.mask(selection.bounds)
        mask = Picture(place.x(), place.y(), digest(values), partial(mask_png, selection))
    project = Project(snapshot.contents, pictures, mask, _preview(snapshot), inputs)
    write_project(path, project)
    return Written(path, {signature(snapshot.tiles[layer]): parts[layer] for layer in parts})


def open_project(path: Path) -> Read:
    """What the file holds; inputs of its tasks are put where they look for them.

    Raises EngineError.
    """
    project = read_project(path)
    contents, layers, parts = project.contents, [], {}
    check_size(QSize(contents.width, contents.height))
    for entry in contents.layers:
        store, rects = TileStore(), []
        for picture in project.pictures[entry.id]:
            pixels = layer_pixels(path, picture)
            put_pixels(store, picture.x, picture.y, pixels)
            size = QSize(pixels.shape[1], pixels.shape[0])
            rects.append((QRect(QPoint(picture.x, picture.y), size), picture.digest))
        parts[signature(_tiles(store))] = rects
        try:
            layers.append(layer_of(entry, store))
        except ValueError as error:
            raise damaged(path, error) from error
    selection, mask = Selection(), project.selection
    if mask:
        selection = Selection(mask_pixels(path, mask), QPoint(mask.x, mask.y))
    keep_inputs(project.inputs)
    lost = contents.lost_records
    return Read(Opened(contents, layers, selection, path, lost=lost), Written(path, parts))


def export_picture(
    path: Path,
    snapshot: Snapshot,
    *,
    keep_settings: bool = True,
    quality: int = 90,
    lossless: bool = True,
) -> None:
    """Write what is seen as a PNG, JPEG or WebP, whichever the path names.

    Raises FileError. `quality` (1 to 100) and `lossless` are for formats that know them.
    """
    record = _record_of(snapshot) if keep_settings else None
    metadata.write_picture(
        path,
        _flat(snapshot),
        record,
        quality=quality,
        lossless=lossless,
        by_model=_is_by_model(snapshot),
    )


def _flat(snapshot: Snapshot) -> Image.Image:
    return flattened(snapshot.layers(), snapshot.size)


def _record_of(snapshot: Snapshot) -> TaskRecord | None:
    """How the uppermost of the layers was made that can be seen and that a task has made."""
    seen = [entry for entry in snapshot.contents.layers if entry.visible and entry.record]
    return seen[-1].record if seen else None


def _is_by_model(snapshot: Snapshot) -> bool:
    """A photograph that was only cropped or painted over is not marked as made by a model."""
    made = LayerKind.GENERATED.value
    return any(entry.record or entry.kind == made for entry in snapshot.contents.layers)


def _preview(snapshot: Snapshot) -> bytes:
    image = _flat(snapshot)
    image.thumbnail((PREVIEW, PREVIEW))
    stream = io.BytesIO()
    image.save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def _tiles(store: TileStore) -> Tiles:
    return {at: tile for at, tile in store.snapshot().items() if tile is not None}
