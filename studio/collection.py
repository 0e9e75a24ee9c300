"""The gallery's index on threads of its own: scans, searches, marks and the trash for the window.

What is slow happens elsewhere; every signal fires on the GUI thread.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Signal

from engine.errors import Cancelled, EngineError, FileError
from engine.gallery.database import IndexBroken
from engine.gallery.index import Index
from engine.gallery.listing import watched_folders
from engine.gallery.pictures import Mark, Picture
from engine.gallery.query import Query
from engine.gallery.scanning import Changes
from engine.gallery.search import Order
from studio import trash
from studio.background import Background, attempt
from studio.trash import Trashed

SOON = 1000  # milliseconds for files that come in a row to be looked at together
SHOW_EVERY = 400  # milliseconds between two looks at what a long scan has found
MOST_WATCHED = 200  # folders

Marks = list[tuple[Path, Mark]]


@dataclass(frozen=True)
class Found:
    """The answer to a search."""

    query: Query
    order: Order
    numbers: array[int]
    total: int
    """Pictures there are in all."""


@dataclass(frozen=True)
class Facets:
    """What there is to filter by, the most frequent first."""

    models: Sequence[str] = ()
    tags: Sequence[str] = ()
    tasks: Sequence[str] = ()


class _Scan:
    """How far a scan is; written by its thread, read by ours."""

    def __init__(self) -> None:
        self.done = self.total = 0
        self.stopped = threading.Event()

    def tell(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        if self.stopped.is_set():
            raise Cancelled


@dataclass(frozen=True)
class _Scanned:
    changes: Changes
    folders: Sequence[str]
    """In which new pictures may appear."""


class Collection(QObject):
    """All pictures there are. `search` what is wanted, and be told by `found`, now and later."""

    found = Signal(object)  # Found
    scanned = Signal(int, int)  # pictures read, to read; equal when all is done
    facets_changed = Signal(object)  # Facets
    changed = Signal()  # files or marks are others now
    failed = Signal(object)  # EngineError

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.index = Index()
        self._scanner = Background(self)
        self._writer = Background(self)  # one deed after the other, in the order they are asked for
        self._searcher = Background(self)
        self._wanted = (Query(), Order.NEWEST)
        self._scan: _Scan | None = None
        self._again = False
        self._unread: set[Path] = set()
        self._shown = 0  # pictures read when the search was last repeated
        self._watcher = QFileSystemWatcher(self)
        self._soon = QTimer(self, singleShot=True, interval=SOON)
        self._soon.timeout.connect(self.refresh)
        self._watcher.directoryChanged.connect(lambda: self._soon.start())
        self._poll = QTimer(self, interval=SHOW_EVERY)
        self._poll.timeout.connect(self._show_progress)

    def close(self) -> None:
        """Stop a scan that runs; what it has found is kept."""
        self._soon.stop()
        self._poll.stop()
        if self._scan is not None:
            self._scan.stopped.set()

    # ------------------------------------------------------------------ searching

    def search(self, query: Query, order: Order) -> None:
        """`found` follows, unless something else is asked for before."""
        self._wanted = (query, order)
        self._search()

    def _search(self) -> None:
        index, (query, order) = self.index, self._wanted
        self._searcher.run(lambda: attempt(lambda: _search(index, query, order)), self._take_found)

    def _take_found(self, found: Found | EngineError) -> None:
        if isinstance(found, IndexBroken):
            self.refresh()  # mends it, and searches again
        elif isinstance(found, EngineError):
            self.failed.emit(found)
        elif (found.query, found.order) == self._wanted:
            self.found.emit(found)

    # ------------------------------------------------------------------ what there is

    @property
    def scanning(self) -> bool:
        return self._scan is not None

    def refresh(self) -> None:
        """Look at the files again; what has not changed is not read."""
        if self._scan is not None:
            self._again = True
            return
        index, scan = self.index, _Scan()
        self._scan, self._shown = scan, 0
        self._poll.start()
        self._scanner.run(lambda: attempt(lambda: _scan(index, scan)), self._end_scan)

    def add(self, path: Path) -> None:
        """A picture has just been saved."""
        if not self._watcher.directories():
            self.refresh()  # the first one made the folder, which is to be watched from now on
        index = self.index
        self._writer.run(lambda: attempt(lambda: index.add([path])), self._take_changes)

    def _show_progress(self) -> None:
        scan = self._scan
        if scan is None:
            return
        self.scanned.emit(scan.done, scan.total)
        if scan.done != self._shown:
            self._shown = scan.done
            self._search()

    def _end_scan(self, scanned: _Scanned | EngineError) -> None:
        scan, self._scan = self._scan, None
        self._poll.stop()
        if scan is None or scan.stopped.is_set():
            return
        self.scanned.emit(scan.total, scan.total)
        if isinstance(scanned, EngineError):
            self.failed.emit(scanned)
        else:
            self._watch(set(scanned.folders))
            self._take_changes(scanned.changes)
            self._tell_unread(scanned.changes.unread)
        if self._again:
            self._again = False
            self.refresh()

    def _take_changes(self, changes: Changes | EngineError) -> None:
        if isinstance(changes, EngineError):
            self.failed.emit(changes)
        elif changes:
            self._announce()

    def _tell_unread(self, paths: Sequence[Path]) -> None:
        """Once, not at every scan, for what stays as it is."""
        before, self._unread = self._unread, set(paths)
        if self._unread <= before:
            return
        named = ", ".join(map(str, paths[:3])) + (", …" if len(paths) > 3 else "")
        told = self.tr("{} cannot be read just now.").format(named)
        hint = self.tr("Known pictures stay listed. Check the drive and its permissions.")
        self.failed.emit(FileError(told, hint))

    def _announce(self) -> None:
        self.changed.emit()
        self._search()
        self.ask_facets()

    def ask_facets(self) -> None:
        index = self.index
        self._searcher.run(lambda: attempt(lambda: _facets(index)), self._take_facets)

    def _take_facets(self, facets: Facets | EngineError) -> None:
        if isinstance(facets, Facets):  # an error has been told by the search
            self.facets_changed.emit(facets)

    def _watch(self, wanted: set[str]) -> None:
        watched = set(self._watcher.directories())
        if watched - wanted:
            self._watcher.removePaths(sorted(watched - wanted))
        if wanted - watched:
            self._watcher.addPaths(sorted(wanted - watched))

    # ------------------------------------------------------------------ marks and trash

    def change_marks(
        self, numbers: Iterable[int], change: Callable[[Mark], Mark], former: Marks
    ) -> None:
        """Change stars, tags or notes; `former` is filled with what they were."""
        index, chosen = self.index, list(numbers)
        self._do(lambda: former.extend(index.change_marks(chosen, change)))

    def set_marks(self, marks: Callable[[], Marks]) -> None:
        """`marks` is asked when all that was wanted before has been done."""
        index = self.index
        self._do(lambda: index.set_marks(marks()))

    def delete(
        self, paths: Sequence[Path], trashed: list[Trashed], then: Callable[[], None]
    ) -> None:
        """Move files to the trash; `trashed` is filled with those that are there now.

        Which `paths` are meant is asked when all that was wanted before has been done.
        """
        index = self.index
        self._do(lambda: _delete(index, list(paths), trashed), then)

    def restore(self, trashed: list[Trashed], restored: list[Path]) -> None:
        """Bring files back from the trash, with their marks; `restored` is filled with them."""
        index = self.index
        self._do(lambda: _restore(index, trashed, restored))

    def _do(
        self, work: Callable[[], EngineError | None], then: Callable[[], None] = lambda: None
    ) -> None:
        def take(problem: EngineError | None) -> None:
            if problem is not None:
                self.failed.emit(problem)
            then()
            self._announce()

        self._writer.run(lambda: attempt(work), take)

    def pictures(self, numbers: Iterable[int]) -> list[Picture]:
        """What is known of a few pictures, at once."""
        with suppress(EngineError):  # the next search tells
            return self.index.pictures(numbers)
        return []


def _search(index: Index, query: Query, order: Order) -> Found:
    return Found(query, order, index.search(query, order), index.count())


def _scan(index: Index, scan: _Scan) -> _Scanned:
    try:
        changes = index.scan(scan.tell)
    except Cancelled:
        changes = Changes()
    return _Scanned(changes, [str(folder) for folder in watched_folders(MOST_WATCHED)])


def _facets(index: Index) -> Facets:
    return Facets(index.models(), index.tags(), index.tasks())


def _delete(index: Index, paths: Sequence[Path], trashed: list[Trashed]) -> EngineError | None:
    problem = None
    for path in paths:
        try:
            trashed.append(trash.delete(path))
        except FileError as error:
            problem = error
    index.add(paths)
    return problem


def _restore(index: Index, trashed: list[Trashed], restored: list[Path]) -> EngineError | None:
    problem = None
    restored.clear()
    for each in trashed:
        try:
            restored.append(trash.restore(each))
        except FileError as error:
            problem = error
    trashed.clear()
    index.add(restored)
    return problem
