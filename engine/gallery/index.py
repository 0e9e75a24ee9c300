"""The index of the gallery, as the window uses it: search, pictures, marks, scans."""

from __future__ import annotations

import sqlite3
from array import array
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from engine import folders
from engine.gallery import marks, rows, scanning
from engine.gallery.database import Database, IndexBroken
from engine.gallery.listing import key_of
from engine.gallery.pictures import Mark, Picture
from engine.gallery.query import Query
from engine.gallery.scanning import Changes, Tell
from engine.gallery.search import Order, find

NAME = "gallery.sqlite"


class Index:
    """May be used from any thread. Methods raise FileError, and IndexBroken until a `scan`."""

    def __init__(self) -> None:
        self._database = Database(folders.home() / NAME)
        self._marks = folders.home() / marks.NAME

    def close(self) -> None:
        self._database.close()

    # ------------------------------------------------------------------ asking

    def search(self, query: Query, order: Order = Order.NEWEST) -> array[int]:
        """The numbers of the pictures for which the query holds."""
        with self._database.reading() as connection:
            return find(connection, query, order)

    def pictures(self, numbers: Iterable[int]) -> list[Picture]:
        """What is known of these pictures; those that are gone are left out."""
        with self._database.reading() as connection:
            return list(rows.pictures(connection, numbers))

    def count(self) -> int:
        with self._database.reading() as connection:
            return int(connection.execute("SELECT count(*) FROM pictures").fetchone()[0])

    def number_of(self, path: Path) -> int | None:
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT id FROM pictures WHERE path = ?", (key_of(path),)
            ).fetchone()
        return int(row[0]) if row else None

    def models(self) -> list[str]:
        """The models that made pictures, the most used first."""
        return self._values("model")

    def tasks(self) -> list[str]:
        return self._values("task")

    def tags(self) -> list[str]:
        """Every tag of a picture, the most used first."""
        with self._database.reading() as connection:
            found = connection.execute("SELECT tags FROM pictures WHERE tags != ''")
            counted = Counter(tag for (tags,) in found for tag in tags.split("\n"))
        return [tag for tag, _ in counted.most_common()]

    def _values(self, column: str) -> list[str]:
        with self._database.reading() as connection:
            found = connection.execute(
                f"SELECT {column} FROM pictures WHERE {column} != ''"
                f" GROUP BY {column} ORDER BY count(*) DESC, {column}"
            )
            return [str(row[0]) for row in found]

    # ------------------------------------------------------------------ keeping in line

    def scan(self, tell: Tell = lambda done, total: None) -> Changes:
        """Look at all files; an index that is broken is set aside and made anew."""
        return self._mended(lambda: scanning.scan(self._database, self._marks, tell))

    def add(self, paths: Iterable[Path]) -> Changes:
        """Look at these files alone."""
        listed = list(paths)
        return self._mended(lambda: scanning.add(self._database, self._marks, listed))

    def _mended(self, work: Callable[[], Changes]) -> Changes:
        try:
            return work()
        except IndexBroken as broken:
            self._database.start_anew(broken)
            return scanning.scan(self._database, self._marks, lambda done, total: None)

    # ------------------------------------------------------------------ marks

    def change_marks(
        self, numbers: Iterable[int], change: Callable[[Mark], Mark]
    ) -> list[tuple[Path, Mark]]:
        """Change the marks of pictures, for good; returns what they were, to undo it."""
        chosen = {picture.path: picture for picture in self.pictures(numbers)}
        former = [(path, picture.mark) for path, picture in chosen.items()]
        self.set_marks((path, change(mark)) for path, mark in former)
        return former

    def set_marks(self, wanted: Iterable[tuple[Path, Mark]]) -> None:
        """Let the files at these paths have these marks."""
        changes = []
        for path, mark in wanted:
            clean = Mark(mark.star, marks.clean_tags(mark.tags), marks.clean_notes(mark.notes))
            size = path.stat().st_size if path.is_file() else 0
            changes.append(marks.Marked(key_of(path), clean, size, marks.digest(path)))
        if not changes:
            return
        scanning.take_marks(self._database, self._marks)  # of another window, not to be lost
        with self._database.writing() as connection:
            marks.append_marks(self._marks, changes)
            self._note(connection, changes)

    def _note(self, connection: sqlite3.Connection, changes: Iterable[marks.Marked]) -> None:
        for marked in changes:
            rows.put_mark(connection, marked)
        rows.set_fact(connection, scanning.STAMP, marks.stamp(self._marks))
