"""Packs: many small pieces of data in one file, each compressed by itself and hashed."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from engine import files
from engine.errors import FileError

LEVEL = 1  # zlib's: disks are fast, and a pack does not live long
DIGEST = 16  # bytes of a hash


@dataclass(frozen=True)
class Place:
    """Where a piece lies: in which pack, from where on, how many bytes, and the hash of these."""

    pack: int
    offset: int
    length: int
    digest: str


def compress(data: bytes) -> bytes:
    return zlib.compress(data, LEVEL)


def write_pack(folder: Path, number: int, pieces: Iterable[Callable[[], bytes]]) -> list[Place]:
    """Write a pack of compressed pieces, asked for one at a time; raises FileError."""
    places: list[Place] = []

    def write(stream: BinaryIO) -> None:
        for piece in pieces:
            data = piece()
            places.append(Place(number, stream.tell(), len(data), _digest(data)))
            stream.write(data)

    files.write_stream(_path(folder, number), write)
    return places


def read_compressed(folder: Path, place: Place) -> bytes:
    """Raises FileError where it is gone or not what was written."""
    path = _path(folder, place.pack)
    try:
        with open(path, "rb") as stream:
            stream.seek(place.offset)
            data = stream.read(place.length)
    except OSError as error:
        raise _lost(path, error.strerror or str(error)) from error
    if _digest(data) != place.digest:
        raise _lost(path, "it is not what was written")
    return data


def read(folder: Path, place: Place, most: int) -> bytes:
    """The piece, if it has no more than `most` bytes; raises FileError."""
    try:
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(read_compressed(folder, place), most + 1)
    except zlib.error as error:
        raise _lost(_path(folder, place.pack), str(error)) from error
    if len(data) > most or not unpacker.eof:
        raise _lost(_path(folder, place.pack), "a piece of it has the wrong length")
    return data


def sizes(folder: Path) -> dict[int, int]:
    """The bytes of every pack there, by number."""
    found = {}
    for path in folder.glob("*.pack"):
        if re.fullmatch(r"\d{1,9}", path.stem):
            with suppress(OSError):  # it has just gone
                found[int(path.stem)] = path.stat().st_size
    return found


def remove(folder: Path, numbers: Iterable[int]) -> None:
    for number in numbers:
        with suppress(OSError):  # whoever cannot remove it can live with it
            _path(folder, number).unlink(missing_ok=True)


def _path(folder: Path, number: int) -> Path:
    return folder / f"{number:06}.pack"


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=DIGEST).hexdigest()


def _lost(path: Path, reason: str) -> FileError:
    return FileError(f"A part of {path} is lost: {reason}.", "What else is there can be used.")
