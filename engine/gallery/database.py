"""The index as an SQLite file: connections, tables, and what is done when it is broken.

Each thread has a connection of its own; one writes at a time, in this window or another, while the
others read (WAL). Nothing in it is the only copy of anything, so that a broken file is set aside
and made anew.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from engine import files
from engine.errors import EngineError, FileError

VERSION = 1
"""Of the tables, kept as SQLite's user_version; MIGRATIONS lead here from every earlier one."""
PATIENCE = 10.0
"""Seconds to wait for another window that is writing."""
RETRY_EVERY = 0.01
"""Seconds between two tries where SQLite does not wait by itself."""

_TABLES = """
CREATE TABLE pictures (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  path BLOB NOT NULL UNIQUE,  -- below the person's data folder, as the system writes it
  modified INTEGER NOT NULL,  -- nanoseconds
  size INTEGER NOT NULL,      -- bytes
  day TEXT NOT NULL,          -- of `modified`, where the person is
  width INTEGER NOT NULL,
  height INTEGER NOT NULL,
  prompt TEXT NOT NULL,
  negative TEXT NOT NULL,
  model TEXT NOT NULL,
  seed TEXT NOT NULL,
  task TEXT NOT NULL,
  problem TEXT NOT NULL,
  star INTEGER NOT NULL DEFAULT 0,
  tags TEXT NOT NULL DEFAULT '',  -- one a line
  notes TEXT NOT NULL DEFAULT ''
);
CREATE INDEX pictures_by_time ON pictures (modified DESC, id DESC);
CREATE INDEX pictures_by_day ON pictures (day);
CREATE INDEX pictures_by_seed ON pictures (seed);
CREATE INDEX pictures_starred ON pictures (star) WHERE star;
CREATE VIRTUAL TABLE words USING fts5 (
  prompt, negative, model, task, tags, notes, name, tokenize = 'ascii', prefix = '1 2 3'
);
CREATE TABLE marks (
  path BLOB PRIMARY KEY, star INTEGER NOT NULL, tags TEXT NOT NULL, notes TEXT NOT NULL,
  size INTEGER NOT NULL, digest TEXT NOT NULL
);
CREATE INDEX marks_by_size ON marks (size);
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""

MIGRATIONS = {0: _TABLES}
"""What leads from each version to the next."""

Identity = tuple[int, int]
"""Device and number of a file."""

_OF_THE_MACHINE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_NOMEM,
}


class IndexBroken(EngineError):
    """The file of the index is damaged or none; `Database.start_anew` mends it."""

    identity: Identity | None = None
    """Which file it was: another window may have put a new one in its place."""


class Database:
    """The connections to one file; may be used from any thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._own = threading.local()
        self._generation = 0
        self._writing = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection to ask; raises IndexBroken and FileError."""
        try:
            yield self._connection()
        except sqlite3.DatabaseError as error:
            explained = self._explained(error)
            if explained is None:
                raise
            raise explained from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that no other thread or window writes beside; all of it counts or none."""
        with self._writing, self.reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    with suppress(sqlite3.Error):  # what went wrong is told, not that it was undone
                        connection.execute("ROLLBACK")

    def start_anew(self, broken: IndexBroken) -> None:
        """Set the broken file aside, unless another window has; raises FileError.

        The next connection finds an empty index then, or that of the other window.
        """
        with self._writing:
            self.close()
            if broken.identity == _identity(self.path):
                self._set_aside()

    def close(self) -> None:
        """End this thread's connection; every other one ends at its next use."""
        self._generation += 1
        connection = getattr(self._own, "connection", None)
        self._own.connection = None
        if connection is not None:
            connection.close()

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if connection is not None and self._own.generation == self._generation:
            return connection
        if connection is not None:
            connection.close()
        self._own.connection = None
        self._own.generation = self._generation
        self._own.identity = _identity(self.path)
        self._own.connection = self._open()
        return self._own.connection  # type: ignore[no-any-return]  # a local has no types

    def _open(self) -> sqlite3.Connection:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(
                self.path, timeout=PATIENCE, isolation_level=None, check_same_thread=False
            )
        except (OSError, sqlite3.OperationalError) as error:
            raise _cannot_use(self.path, str(error)) from error
        try:
            _write_ahead(connection)
            connection.execute("PRAGMA synchronous = NORMAL")
            self._migrate(connection)
        except sqlite3.DatabaseError as error:
            connection.close()
            raise self._explained(error) or error from error
        except IndexBroken:
            connection.close()
            raise
        self._own.identity = _identity(self.path)  # it may not have been there before
        return connection

    def _migrate(self, connection: sqlite3.Connection) -> None:
        if _version(connection) == VERSION:
            return
        connection.execute("BEGIN IMMEDIATE")
        found = _version(connection)  # another window may have been quicker
        if found > VERSION or (found == 0 and _has_tables(connection)):
            raise self._broken("it belongs to another version or program")
        for version in range(found, VERSION):
            for statement in MIGRATIONS[version].split(";\n"):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")

    def _explained(self, error: sqlite3.DatabaseError) -> EngineError | None:
        """A full disk and another window are no damage. None for a bug."""
        if of_the_machine(error):
            return _cannot_use(self.path, str(error))
        code = _code(error)
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or "no such" in str(error):
            if "no such module" in str(error):
                return EngineError(
                    "The gallery needs SQLite with full-text search (FTS5).",
                    "Install a Python whose sqlite3 has it; those of python.org do.",
                )
            return self._broken(str(error))
        return None

    def _broken(self, reason: str) -> IndexBroken:
        broken = IndexBroken(f"The index of the gallery, {self.path}, is broken: {reason}.")
        broken.identity = self._own.identity
        return broken

    def _set_aside(self) -> None:
        try:
            if self.path.exists():
                os.replace(self.path, files.new_path(self.path.parent, self.path.stem, ".bad"))
            for suffix in ("-wal", "-shm"):  # they belong to the one that is gone
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        except OSError as error:
            raise _cannot_use(self.path, error.strerror or str(error)) from error


def of_the_machine(error: sqlite3.Error) -> bool:
    """Whether the disk, the memory or another window is the reason, and the file is not damaged."""
    return _code(error) in _OF_THE_MACHINE


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Let others read while one writes (WAL).

    For the change of a new file SQLite does not wait: who opens it at the same moment is told at
    once that it is locked.
    """
    give_up = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
        time.sleep(RETRY_EVERY)


def _identity(path: Path) -> Identity | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _has_tables(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None


def _cannot_use(path: Path, reason: str) -> FileError:
    return FileError(
        f"The index of the gallery, {path}, cannot be used: {reason}.",
        "The pictures are safe. Free some space or check the folder's permissions, then try again.",
    )
