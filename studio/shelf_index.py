"""Texts or chats of a folder: one file each, listed, the newest first, and found by their words."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from engine.errors import FileError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ShelfEntry:
    """One line of the list."""

    path: Path
    title: str
    text: str
    """All of it, for the search."""
    changed: float
    """Seconds since the epoch."""

    def has(self, wanted: str) -> bool:
        """Whether every word of a search occurs in it."""
        text = self.text.casefold()
        return all(word in text for word in wanted.casefold().split())


class ShelfIndex:
    """A file is read again only when it has changed."""

    def __init__(
        self, paths: Callable[[], Iterable[Path]], read: Callable[[Path], tuple[str, str]]
    ) -> None:
        """`paths` finds the files; `read` tells title and text of one, or raises FileError."""
        self._paths = paths
        self._read_file = read
        self._read: dict[Path, tuple[tuple[int, int], ShelfEntry | None]] = {}

    def entries(self) -> list[ShelfEntry]:
        """All that can be read, the newest first."""
        found = {path: self._entry(path) for path in self._paths()}
        self._read = {path: self._read[path] for path in found if path in self._read}
        readable = [entry for entry in found.values() if entry]
        return sorted(readable, key=lambda entry: entry.changed, reverse=True)

    def _entry(self, path: Path) -> ShelfEntry | None:
        try:
            status = path.stat()
        except OSError as error:
            log.warning("a file is left out of the list: %s", error)
            return None
        version = status.st_mtime_ns, status.st_size
        if path not in self._read or self._read[path][0] != version:
            self._read[path] = version, self._entry_of(path, status.st_mtime)
        return self._read[path][1]

    def _entry_of(self, path: Path, changed: float) -> ShelfEntry | None:
        try:
            title, text = self._read_file(path)
        except FileError as error:
            log.warning("a file is left out of the list: %s", error)
            return None
        return ShelfEntry(path, title, text, changed)
