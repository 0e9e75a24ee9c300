"""What a project holds, as plain data: the document, its layers, and what surrounds them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.metadata import TaskRecord

TILE = 256
"""Pixels along one side of a tile of the autosave."""


@dataclass(frozen=True)
class LayerEntry:
    """A layer, but for its pixels."""

    id: str
    name: str
    kind: str = "raster"
    """This and the blend mode are words; which ones there are, the studio knows."""
    opacity: float = 1.0
    blend_mode: str = "normal"
    visible: bool = True
    locked: bool = False
    record: TaskRecord | None = None
    """How its pixels were made, where a task has made them."""


@dataclass(frozen=True)
class Contents:
    """Everything but pixels. What `settings` and `view` mean, the studio knows."""

    width: int
    height: int
    layers: tuple[LayerEntry, ...] = ()
    """The lowest first."""
    active: str = ""
    """The id of the layer that is worked on, or empty."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    view: Mapping[str, Any] = field(default_factory=dict)
    """Which part of the document was looked at."""
    history: tuple[TaskRecord, ...] = ()
    """What tasks have made in this project, the oldest first."""
    lost_records: int = 0
    """Records, of layers or of the history, that were there but could not be read."""


@dataclass(frozen=True)
class Picture:
    """Pixels as a PNG that is made or read when it is needed, and where they lie."""

    x: int
    y: int
    digest: str
    """Of the pixels (engine/projects/pixels.py)."""
    read: Callable[[], bytes]
    """The PNG; raises FileError."""


@dataclass(frozen=True)
class Tile:
    """A square of TILE × TILE pixels of four bytes, premultiplied RGBA."""

    key: object
    """Equal to that of another tile only if the pixels are equal."""
    read: Callable[[], bytes]


Tiles = Mapping[tuple[int, int], Tile]
"""Of one layer, by column and row; where there is none, it is transparent."""
