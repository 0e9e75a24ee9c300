"""Pictures and marks as rows of the index; the only place that writes them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from engine.gallery.listing import Stat, path_of
from engine.gallery.marks import Marked
from engine.gallery.pictures import Description, Mark, Picture
from engine.gallery.words import indexed

_MARKED = "path, star, tags, notes, size, digest"

MOST_ASKED = 500
"""Numbers in one question; SQLite has a limit."""

_COLUMNS = (
    "id, path, modified, size, width, height, prompt, negative, model, seed, task, problem, "
    "star, tags, notes"
)


def put_picture(connection: sqlite3.Connection, key: bytes, stat: Stat, said: Description) -> int:
    """Add a picture or what is new of it; returns its number."""
    mark = mark_of(connection, key)
    modified, size = stat
    connection.execute(
        "INSERT INTO pictures (path, modified, size, day, width, height, prompt, negative, model,"
        " seed, task, problem) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (path) DO UPDATE SET modified = excluded.modified, size = excluded.size,"
        " day = excluded.day, width = excluded.width, height = excluded.height,"
        " prompt = excluded.prompt, negative = excluded.negative, model = excluded.model,"
        " seed = excluded.seed, task = excluded.task, problem = excluded.problem",
        (
            *(key, modified, size, _day(modified), said.width, said.height, said.prompt),
            *(said.negative_prompt, said.model, said.seed, said.task, said.problem),
        ),
    )
    number = int(connection.execute("SELECT id FROM pictures WHERE path = ?", (key,)).fetchone()[0])
    connection.execute("DELETE FROM words WHERE rowid = ?", (number,))
    texts = (said.prompt, said.negative_prompt, said.model, said.task)
    connection.execute(
        "INSERT INTO words (rowid, prompt, negative, model, task, tags, notes, name)"
        " VALUES (?, ?, ?, ?, ?, '', '', ?)",
        (number, *map(indexed, texts), indexed(Path(path_of(key)).stem)),
    )
    if not mark.is_empty:
        show_mark(connection, number, mark)
    return number


def drop_pictures(connection: sqlite3.Connection, numbers: Iterable[int]) -> None:
    """Forget pictures whose files are gone; their marks stay, in case they come back."""
    for number in numbers:
        connection.execute("DELETE FROM words WHERE rowid = ?", (number,))
        connection.execute("DELETE FROM pictures WHERE id = ?", (number,))


def pictures(connection: sqlite3.Connection, numbers: Iterable[int]) -> Iterator[Picture]:
    """The pictures of these numbers that are still there, in that order."""
    asked = list(numbers)
    for start in range(0, len(asked), MOST_ASKED):
        part = asked[start : start + MOST_ASKED]
        marks = ",".join("?" * len(part))
        found = connection.execute(
            f"SELECT {_COLUMNS} FROM pictures WHERE id IN ({marks})", part
        ).fetchall()
        by_number = {row[0]: row for row in found}
        yield from (_picture(by_number[number]) for number in part if number in by_number)


def known_files(connection: sqlite3.Connection) -> dict[bytes, tuple[int, Stat]]:
    """Number and stat of every picture, by key."""
    rows = connection.execute("SELECT path, id, modified, size FROM pictures")
    return {row[0]: (row[1], (row[2], row[3])) for row in rows}


# --------------------------------------------------------------------------- marks


def mark_of(connection: sqlite3.Connection, key: bytes) -> Mark:
    row = connection.execute(
        "SELECT star, tags, notes FROM marks WHERE path = ?", (key,)
    ).fetchone()
    return _mark(*row) if row else Mark()


def put_mark(connection: sqlite3.Connection, marked: Marked) -> None:
    """Keep a mark, and show it on its picture where that is there."""
    mark = marked.mark
    if mark.is_empty:
        connection.execute("DELETE FROM marks WHERE path = ?", (marked.path,))
    else:
        connection.execute(
            "INSERT OR REPLACE INTO marks VALUES (?, ?, ?, ?, ?, ?)",
            (
                *(marked.path, mark.star, "\n".join(mark.tags), mark.notes),
                *(marked.size, marked.digest),
            ),
        )
    row = connection.execute("SELECT id FROM pictures WHERE path = ?", (marked.path,)).fetchone()
    if row:
        show_mark(connection, row[0], mark)


def show_mark(connection: sqlite3.Connection, number: int, mark: Mark) -> None:
    tags = "\n".join(mark.tags)
    connection.execute(
        "UPDATE pictures SET star = ?, tags = ?, notes = ? WHERE id = ?",
        (mark.star, tags, mark.notes, number),
    )
    connection.execute(
        "UPDATE words SET tags = ?, notes = ? WHERE rowid = ?",
        (indexed(tags), indexed(mark.notes), number),
    )


def replace_marks(connection: sqlite3.Connection, marks: Iterable[Marked]) -> None:
    """Let these be all the marks there are."""
    new = {marked.path: marked for marked in marks}
    old = {row[0]: _marked(row) for row in connection.execute(f"SELECT {_MARKED} FROM marks")}
    for key in old.keys() - new.keys():
        put_mark(connection, Marked(key, Mark(), 0, ""))
    for key, marked in new.items():
        if old.get(key) != marked:
            put_mark(connection, marked)


def marks_of_size(connection: sqlite3.Connection, size: int) -> list[Marked]:
    """The marks of files of so many bytes: one that was renamed is among them."""
    found = connection.execute(f"SELECT {_MARKED} FROM marks WHERE size = ?", (size,))
    return [_marked(row) for row in found]


def fact(connection: sqlite3.Connection, name: str) -> str:
    row = connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
    return str(row[0]) if row else ""


def set_fact(connection: sqlite3.Connection, name: str, value: str) -> None:
    connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))


def _picture(row: tuple[int, bytes, int, int, *tuple[object, ...]]) -> Picture:
    number, key, modified, size, *rest = row
    width, height, prompt, negative, model, seed, task, problem, star, tags, notes = rest
    said = Description(width, height, prompt, negative, model, seed, task, problem)  # type: ignore[arg-type]
    return Picture(number, path_of(key), modified, size, said, _mark(star, tags, notes))


def _marked(row: tuple[bytes, object, object, object, int, str]) -> Marked:
    return Marked(row[0], _mark(*row[1:4]), row[4], row[5])


def _mark(star: object, tags: object, notes: object) -> Mark:
    return Mark(bool(star), tuple(str(tags).split("\n")) if tags else (), str(notes))


def _day(modified: int) -> str:
    try:
        return datetime.fromtimestamp(modified / 1e9).date().isoformat()
    except (OverflowError, ValueError, OSError):  # a file from before or after all calendars
        return ""
