"""A temporary file for what does not fit into memory; room that is given back is used again."""

from __future__ import annotations

import tempfile
from bisect import bisect_left
from contextlib import suppress
from typing import IO

from engine import folders

Extent = tuple[int, int]
"""(offset, length) in the file."""


class SwapFile:
    """Made with the first write; the system removes it when it is closed, even by a kill."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._end = 0
        self._free: list[Extent] = []  # in order, no two of them touch

    def __del__(self) -> None:
        if self._file is not None:
            self._file.close()

    @property
    def size(self) -> int:
        return self._end

    def write(self, data: bytes) -> Extent:
        """Where `data` is from now on; raises OSError, and nothing is taken then."""
        if self._file is None:
            folders.cache().mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(buffering=0, dir=folders.cache())  # noqa: SIM115
        offset = self._room_for(len(data))
        self._file.seek(offset)
        extent = offset, len(data)
        try:
            if self._file.write(data) != len(data):
                raise OSError(f"only a part of {len(data)} bytes was written")
        except OSError:
            self.free(extent)
            raise
        return extent

    def read(self, extent: Extent) -> bytes:
        assert self._file is not None
        self._file.seek(extent[0])
        data = self._file.read(extent[1])
        if len(data) != extent[1]:
            raise OSError(f"only {len(data)} of {extent[1]} bytes were read")
        return data

    def free(self, extent: Extent) -> None:
        """Forget what is there."""
        place = bisect_left(self._free, extent)
        begin, end = extent[0], extent[0] + extent[1]
        if place < len(self._free) and self._free[place][0] == end:
            end += self._free.pop(place)[1]
        if place and sum(self._free[place - 1]) == begin:
            place -= 1
            begin = self._free.pop(place)[0]
        if end == self._end:
            self._end = begin
            self._shrink()
        else:
            self._free.insert(place, (begin, end - begin))

    def _shrink(self) -> None:
        """Give the disk back what is behind the last of what is kept."""
        if self._file is not None:
            with suppress(OSError):  # it costs room, no picture
                self._file.truncate(self._end)

    def _room_for(self, length: int) -> int:
        for place, (offset, free) in enumerate(self._free):
            if free >= length:
                rest = (offset + length, free - length)
                self._free[place : place + 1] = [rest] if rest[1] else []
                return offset
        offset, self._end = self._end, self._end + length
        return offset
