"""The gate for zip files: a small table of contents, expected names, bounded members.

Nothing is ever unpacked to a path that the file names. All here raise ValueError, or what
`zipfile` raises (`DAMAGED`); who knows the path makes an error for people of it.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

MAXIMUM_DIRECTORY = 1_000_000
"""Bytes of the table of contents."""

DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)
"""What reading a zip from outside raises, but for OSError."""

_END = struct.Struct("<4s4H2LH")  # "end of central directory", PKWARE's APPNOTE 4.3.16
_LINK_OR_DEVICE = range(1, 16)
_PLAIN_FILE = 8


@contextmanager
def opened(stream: IO[bytes], most_members: int) -> Iterator[zipfile.ZipFile]:
    """The zip in `stream`. Python reads the whole table of contents, so its length comes first."""
    size = stream.seek(0, 2)
    stream.seek(max(0, size - _END.size))
    end = stream.read(_END.size)
    if len(end) < _END.size or not end.startswith(b"PK\5\6"):
        raise ValueError("it ends too early" if size else "it is empty")
    _, disk, first, here, members, length, _, comment = _END.unpack(end)
    if disk or first or here != members or comment:
        raise ValueError("its table of contents is not as Atelier writes it")
    if members > most_members or length > MAXIMUM_DIRECTORY:
        raise ValueError("it holds more files than it can have")
    with zipfile.ZipFile(stream) as archive:
        yield archive


def check_members(archive: zipfile.ZipFile, expected: re.Pattern[str]) -> None:
    """Refuse the whole file for one name that it cannot have, such as `..` or an absolute path."""
    members = archive.infolist()
    if len({member.filename for member in members}) != len(members):
        raise ValueError("two files in it have the same name")
    for member in members:
        if not expected.fullmatch(member.filename):
            raise ValueError(
                f"it holds a file that does not belong there: {member.filename[:80]!r}"
            )
        kind = member.external_attr >> 28  # as Unix has it; 0 from other systems
        if kind in _LINK_OR_DEVICE and kind != _PLAIN_FILE:
            raise ValueError("it holds a link")


def read(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """The member, if it has no more than `most` bytes, whatever the table of contents claims."""
    data = beginning(archive, name, most + 1)
    if len(data) > most:
        raise ValueError(f"{name} in it is too large")
    return data


def beginning(archive: zipfile.ZipFile, name: str, length: int) -> bytes:
    try:
        with archive.open(name) as stream:
            return stream.read(length)
    except KeyError:
        raise ValueError(f"{name} is missing in it") from None
