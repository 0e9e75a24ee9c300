"""Brings the index in line with the files: reads what is new or changed, forgets what is gone."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from engine.gallery import marks, rows
from engine.gallery.database import Database
from engine.gallery.describe import describe
from engine.gallery.listing import Stat, is_listed, key_of, list_pictures, path_of, stat_of
from engine.gallery.pictures import Mark

BATCH = 64
"""Pictures read between two writes, so that another window need not wait long."""
STAMP = "marks"
"""The fact that says which state of the marks' file the index holds."""

Tell = Callable[[int, int], None]
"""`tell(done, total)` while pictures are read; it may raise Cancelled to stop."""


@dataclass(frozen=True)
class Changes:
    """What a scan found."""

    read: int = 0
    """Pictures that are new or were changed."""
    gone: int = 0
    marks: bool = False
    """Whether stars, tags or notes were changed, by another window or a renamed file."""
    unread: tuple[Path, ...] = ()
    """Folders and files that could not be looked at; what was known of them is kept."""

    def __bool__(self) -> bool:
        return bool(self.read or self.gone or self.marks)


def scan(database: Database, marks_file: Path, tell: Tell) -> Changes:
    """Look at every file there is; what has not changed is not read. Newest first.

    Only what is gone is forgotten, not what cannot be looked at just now.
    """
    marked = take_marks(database, marks_file)
    listing = list_pictures()
    there, unread = listing.files, _beginnings(listing.unread)
    with database.reading() as connection:
        known = rows.known_files(connection)
    new = [key for key, stat in there.items() if key not in known or known[key][1] != stat]
    new.sort(key=lambda key: there[key], reverse=True)
    missing = [key for key in known if key not in there and not (key + b"/").startswith(unread)]
    gone = [known[key][0] for key in missing]
    with database.writing() as connection:
        rows.drop_pictures(connection, gone)
    tell(0, len(new))
    for start in range(0, len(new), BATCH):
        part = new[start : start + BATCH]
        marked |= _read(database, marks_file, [(key, there[key]) for key in part])
        tell(start + len(part), len(new))
    return Changes(len(new), len(gone), marked, tuple(listing.unread))


def _beginnings(paths: Iterable[Path]) -> tuple[bytes, ...]:
    """What the keys of these files, and of all files below these folders, begin with."""
    return tuple(key_of(path) + b"/" for path in paths)


def add(database: Database, marks_file: Path, paths: Iterable[Path]) -> Changes:
    """Look at these files alone: one has just been saved, or is gone."""
    listed = [path for path in paths if is_listed(path)]
    found = [(key_of(path), stat_of(path)) for path in listed]
    with database.reading() as connection:
        known = rows.known_files(connection) if any(stat is None for _, stat in found) else {}
    gone = [known[key][0] for key, stat in found if stat is None and key in known]
    with database.writing() as connection:
        rows.drop_pictures(connection, gone)
    there = [(key, stat) for key, stat in found if stat is not None]
    return Changes(len(there), len(gone), _read(database, marks_file, there))


def take_marks(database: Database, file: Path) -> bool:
    """Read the marks where their file is another than the index knows; whether it was."""
    with database.reading() as connection:
        if rows.fact(connection, STAMP) == marks.stamp(file):
            return False
    with database.writing() as connection:  # no other window adds to the file meanwhile
        marks.compact_marks(file)
        now = marks.stamp(file)
        rows.replace_marks(connection, marks.read_marks(file)[0].values())
        rows.set_fact(connection, STAMP, now)
    return True


def _read(database: Database, marks_file: Path, found: list[tuple[bytes, Stat]]) -> bool:
    """Put pictures into the index; whether one of them brought marks from another path."""
    said = [(key, stat, describe(path_of(key))) for key, stat in found]
    said = [each for each in said if not each[2].problem or stat_of(path_of(each[0])) is not None]
    with database.writing() as connection:
        moved = _moved_marks(connection, found)
        if moved:
            marks.append_marks(marks_file, moved)
            for marked in moved:
                rows.put_mark(connection, marked)
            rows.set_fact(connection, STAMP, marks.stamp(marks_file))
        for key, stat, description in said:
            rows.put_picture(connection, key, stat, description)
    return bool(moved)


def _moved_marks(
    connection: sqlite3.Connection, found: list[tuple[bytes, Stat]]
) -> list[marks.Marked]:
    """A file that was renamed takes its marks along; it is known by its content."""
    moved = []
    for key, (_, size) in found:
        candidates = [m for m in rows.marks_of_size(connection, size) if m.path != key]
        lost = [m for m in candidates if m.digest and stat_of(path_of(m.path)) is None]
        if not lost or not rows.mark_of(connection, key).is_empty:
            continue
        digest = marks.digest(path_of(key))
        old = next((m for m in lost if m.digest == digest), None)
        if old is not None:
            moved += [replace(old, path=key), replace(old, mark=Mark())]
    return moved
