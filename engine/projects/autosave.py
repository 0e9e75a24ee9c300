"""The autosave: a folder that follows a document tile by tile; only what has changed is written.

    state.json      the description, where each tile lies, what else belongs to the session
    NNNNNN.pack     tiles (engine/projects/packs.py)

A save writes one pack of new tiles and then the state that names it, each in one step; packs that
no state names are removed after that. So at whatever moment a kill comes, there is a state, and all
that it names is there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine import files
from engine.errors import FileError
from engine.projects import description, packs
from engine.projects.contents import TILE, Contents, Tile, Tiles
from engine.projects.packs import Place

STATE = "state.json"
TILE_BYTES = 4 * TILE * TILE
MAXIMUM_STATE = 64_000_000
"""Bytes; 4096 × 4096 pixels with ten layers take 200,000."""
MAXIMUM_MASK = 100_000_000
MAXIMUM_TILES = 1_000_000
FAR = description.MAXIMUM_SIDE // TILE
MOST_PACKS = 24


@dataclass(frozen=True)
class Mask:
    """The selection: a grey PNG, and where it lies."""

    x: int
    y: int
    key: object
    """Equal to that of another one only if both are the same."""
    read: Callable[[], bytes]


@dataclass(frozen=True)
class Session:
    """What a person has in front of them, saved or not."""

    contents: Contents
    tiles: Mapping[str, Tiles] = field(default_factory=dict)
    """By the id of the layer."""
    selection: Mask | None = None
    path: str = ""
    """The project file it was opened from or saved to; empty while it has no name."""
    unsaved: bool = False
    """Whether it differs from that file."""


class Autosave:
    """Keeps `folder` like the session that it was given last. One at a time may write there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._places: dict[object, Place] = {}
        self._state = b""

    def save(self, session: Session) -> None:
        """Write what is new since the last time; raises FileError, and the last state stands."""
        pieces = dict(_pieces(session))
        on_disk = packs.sizes(self.folder)
        places = {
            key: self._places[key]
            for key in pieces
            if key in self._places and self._places[key].pack in on_disk
        }
        leaving = _leaving(places, on_disk)
        kept = {key: place for key, place in places.items() if place.pack not in leaving}
        wanted = [key for key in pieces if key not in kept]
        if wanted:
            written = packs.write_pack(
                self.folder,
                1 + max(on_disk, default=0),
                (self._compressed(pieces[key], places.get(key)) for key in wanted),
            )
            kept |= dict(zip(wanted, written, strict=True))
        state = description.to_bytes(_describe(session, kept))
        if state != self._state or not (self.folder / STATE).exists():
            files.write_bytes(self.folder / STATE, state)
        self._places, self._state = kept, state
        packs.remove(self.folder, on_disk.keys() - {place.pack for place in kept.values()})

    def adopt(self, keys: Mapping[object, object]) -> None:
        """Know again what `load` has found here: new keys of the tiles, and those they had then."""
        self._places = {new: old for new, old in keys.items() if isinstance(old, Place)}

    def _compressed(self, read: Callable[[], bytes], place: Place | None) -> Callable[[], bytes]:
        """What is to be written, from its former place where it has one that can be read."""

        def compressed() -> bytes:
            if place is not None:
                with suppress(FileError):
                    return packs.read_compressed(self.folder, place)
            return packs.compress(read())

        return compressed


def load(folder: Path) -> Session | None:
    """The session that was kept in `folder`; None where there never was one.

    Raises FileError for a state that cannot be read; tiles are read, and checked, when asked for.
    """
    path = folder / STATE
    try:
        if not path.exists():
            return None
        with open(path, "rb") as stream:
            data = stream.read(MAXIMUM_STATE + 1)
        if len(data) > MAXIMUM_STATE:
            raise ValueError("it is too large")
        return _session(folder, description.parse(data))
    except OSError as error:
        raise FileError(
            f"{path} could not be read: {error.strerror or error}.", "Check its permissions."
        ) from error
    except ValueError as error:
        raise FileError(
            f"What was autosaved in {folder} cannot be read: {error}.",
            "The folder has been kept as it is.",
        ) from error


# ------------------------------------------------------------------ what is written


def _pieces(session: Session) -> Iterator[tuple[object, Callable[[], bytes]]]:
    for tiles in session.tiles.values():
        for tile in tiles.values():
            yield tile.key, tile.read
    if session.selection:
        yield session.selection.key, session.selection.read


def _leaving(places: Mapping[object, Place], on_disk: Mapping[int, int]) -> set[int]:
    """The packs whose pieces move on, so that packs neither waste space nor become many."""
    live: Counter[int] = Counter()
    for place in set(places.values()):
        live[place.pack] += place.length
    leaving = {pack for pack, size in live.items() if 2 * size < on_disk[pack]}
    if len(live) > MOST_PACKS:
        leaving |= {pack for pack, _ in live.most_common()[MOST_PACKS // 2 :]}
    return leaving


def _describe(session: Session, places: Mapping[object, Place]) -> dict[str, Any]:
    described = description.describe(session.contents)
    for layer in described["layers"]:
        tiles = session.tiles.get(layer["id"], {})
        layer["tiles"] = [[*at, *_listed(places[tile.key])] for at, tile in tiles.items()]
    mask = session.selection
    described["selection"] = mask and [mask.x, mask.y, *_listed(places[mask.key])]
    described["path"], described["unsaved"] = session.path, session.unsaved
    return described


def _listed(place: Place) -> list[int | str]:
    return [place.pack, place.offset, place.length, place.digest]


# ------------------------------------------------------------------ what is read


def _session(folder: Path, described: Mapping[str, Any]) -> Session:
    contents = description.contents_of(described)
    tiles = {layer["id"]: _tiles(folder, layer) for layer in described["layers"]}
    listed = described.get("selection")
    selection = None
    if listed is not None:
        x, y, place = _numbers_and_place(listed, description.MAXIMUM_SIDE)
        selection = Mask(x, y, place, lambda: packs.read(folder, place, MAXIMUM_MASK))
    unsaved = described.get("unsaved") is True
    return Session(contents, tiles, selection, description.text(described, "path"), unsaved)


def _tiles(folder: Path, layer: Mapping[str, Any]) -> Tiles:
    tiles = {}
    for listed in description.short_list(layer, "tiles", MAXIMUM_TILES):
        column, row, place = _numbers_and_place(listed, FAR)
        tiles[column, row] = Tile(place, _reader(folder, place))
    return tiles


def _reader(folder: Path, place: Place) -> Callable[[], bytes]:
    def read() -> bytes:
        data = packs.read(folder, place, TILE_BYTES)
        if len(data) != TILE_BYTES:
            raise FileError(f"A tile in {folder} is too short.", "What else is there can be used.")
        return data

    return read


def _numbers_and_place(listed: Any, far: int) -> tuple[int, int, Place]:
    if not isinstance(listed, list) or len(listed) != 6:
        raise ValueError("a tile has no place")
    *numbers, digest = listed
    if any(type(number) is not int for number in numbers) or max(map(abs, numbers[:2])) > far:
        raise ValueError("a tile is nowhere")
    if min(numbers[2:]) < 0 or max(numbers[2:]) >= 2**40:
        raise ValueError("a tile is nowhere")
    if not isinstance(digest, str) or not re.fullmatch(r"[0-9a-f]{32}", digest):
        raise ValueError("a tile has no hash")
    column, row, pack, offset, length = numbers
    return column, row, Place(pack, offset, length, digest)
