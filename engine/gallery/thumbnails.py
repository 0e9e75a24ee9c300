"""Small pictures made once: an SQLite file in the cache holds them, by what the file was then.

A picture that is small anyway is read itself. The file is bounded, and thrown away when broken.
"""

from __future__ import annotations

import hashlib
import io
import os
import sqlite3
import time
from contextlib import suppress

from PIL import Image

from engine import folders
from engine.gallery.database import of_the_machine
from engine.gallery.pictures import Picture
from engine.gate.images import open_image

SIDES = (256, 512)
"""Pixels of the longer side."""
MOST_BYTES = 500_000_000
QUALITY = 88
PATIENCE = 2.0
"""Seconds to wait for another window that is writing."""

_TABLE = """CREATE TABLE IF NOT EXISTS thumbnails (
  name BLOB PRIMARY KEY, used INTEGER NOT NULL, data BLOB NOT NULL
) WITHOUT ROWID"""


class Thumbnails:
    """Used by one thread at a time."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.path = folders.cache() / "thumbnails.sqlite"
        self._most_bytes = most_bytes
        self._connection: sqlite3.Connection | None = None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def get(self, picture: Picture, side: int) -> Image.Image:
        """`picture` with a longer side of at least `side` pixels, where it has so many.

        At most the next of SIDES. Raises FileError for what is no readable picture.
        """
        target = next((size for size in SIDES if size >= side), SIDES[-1])
        said = picture.description
        if max(said.width, said.height) <= target:
            return open_image(picture.path)
        name = _name(picture, target)
        kept = self._read(name)
        if kept is None:
            kept = open_image(picture.path)
            kept.thumbnail((target, target), Image.Resampling.LANCZOS, reducing_gap=3.0)
            self._keep(name, _encoded(kept))
        return kept

    def _read(self, name: bytes) -> Image.Image | None:
        try:
            row = (
                self._open()
                .execute("SELECT data FROM thumbnails WHERE name = ?", (name,))
                .fetchone()
            )
        except sqlite3.Error as error:
            if of_the_machine(error):  # such as another window that is at work on it
                self.close()
            else:
                self._discard()
            return None
        if row is None:
            return None
        try:
            image = Image.open(io.BytesIO(row[0]), formats=("JPEG", "PNG"))
            image.load()
        except (OSError, SyntaxError, ValueError):
            return None
        return image

    def _keep(self, name: bytes, data: bytes) -> None:
        """A cache that cannot be written to is a slow one, and nothing worse."""
        with suppress(sqlite3.Error):
            connection = self._open()
            connection.execute(
                "INSERT OR REPLACE INTO thumbnails VALUES (?, ?, ?)", (name, time.time_ns(), data)
            )

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            with suppress(OSError):
                self.path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                self.path, timeout=PATIENCE, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = OFF")  # it can be made again
            self._connection.execute(_TABLE)
            self._shrink(self._connection)
        return self._connection

    def _shrink(self, connection: sqlite3.Connection) -> None:
        """Forget the oldest half where they have become too many."""
        pages, page = (
            connection.execute(f"PRAGMA {what}").fetchone()[0]
            for what in ("page_count", "page_size")
        )
        if pages * page <= self._most_bytes:
            return
        connection.execute(
            "DELETE FROM thumbnails WHERE used <= (SELECT used FROM thumbnails ORDER BY used"
            " LIMIT 1 OFFSET (SELECT count(*) / 2 FROM thumbnails))"
        )
        connection.execute("VACUUM")

    def _discard(self) -> None:
        """Throw a broken file away; the next thumbnail begins a new one."""
        self.close()
        for suffix in ("", "-wal", "-shm"):
            with suppress(OSError):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)


def _name(picture: Picture, side: int) -> bytes:
    """Another one for another file, and for the same file once it has changed."""
    stat = f"\0{picture.modified}\0{picture.size}\0{side}".encode()
    return hashlib.blake2b(os.fsencode(picture.path) + stat, digest_size=16).digest()


def _encoded(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    if image.has_transparency_data:
        image.save(stream, "PNG", compress_level=3)
    else:
        image.save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()
