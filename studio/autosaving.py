"""Follows what is on the canvas onto the disk, and keeps what was there before something else."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QLockFile, QObject, QTimer, Signal

from engine import files, folders
from engine.errors import EngineError, FileError
from engine.projects.autosave import Autosave, Session, load
from studio.background import Background, attempt
from studio.canvas.project import Opened, opened_session

log = logging.getLogger(__name__)

SETTLE = 1500
"""Milliseconds from the last change to its writing."""
LONGEST = 10_000
"""The same while changes go on."""
RETRY = 30_000  # after a failure: somebody may have made room
MOST_KEPT = 20

Take = Callable[[], Callable[[], Session]]
"""Called in the window, quick; what it returns is called elsewhere and may take its time."""


@dataclass(frozen=True)
class Kept:
    """A canvas that was replaced before it was saved."""

    folder: Path

    @property
    def label(self) -> str:
        """When, and what it was called."""
        day, _, rest = self.folder.name.partition("-")
        time, _, name = rest.partition("-")
        return f"{day[:4]}-{day[4:6]}-{day[6:8]} {time[:2]}:{time[2:4]}  {name}".strip()


class Autosaving(QObject):
    """Of all windows of the studio, the first has `canvas/current`; others have one each."""

    failed = Signal(object)  # EngineError; told once, until it works again

    def __init__(self, take: Take, parent: QObject) -> None:
        super().__init__(parent)
        self._take = take
        self._room = folders.home() / "canvas"
        self._lock, self.folder = _claim(self._room)
        self._autosave = Autosave(self.folder)
        self._background = Background(self)
        self._held: object = None
        """The selection that was written last: it is known by where it is in memory."""
        self._follows = self._busy = self._changed = self._has_failed = self._closed = False
        self._settle, self._longest = self._timer(SETTLE), self._timer(LONGEST)

    def restore(self, then: Callable[[Opened | EngineError | None], None]) -> None:
        """Read what the last session left, or None; from then on changes are followed."""

        def deliver(opened: Opened | EngineError | None) -> None:
            if not self._closed:
                self._follows = True
                then(opened)

        self._background.run(lambda: attempt(self._read_last), deliver)

    def touch(self) -> None:
        """Something has changed."""
        if self._follows:
            self._settle.start(SETTLE)
            if not self._longest.isActive():
                self._longest.start()

    def keep(self, name: str, then: Callable[[EngineError | None], object]) -> None:
        """Set what is on the canvas aside, to be found again among `kept`."""
        self._stop()
        session = self._take()

        def work() -> None:
            self._autosave.save(session())
            _keep(self.folder, self._room, name)

        def take(error: EngineError | None) -> None:
            if error:
                self.touch()  # it is still on the canvas
            then(error)

        self._background.run(lambda: attempt(work), take)

    def keep_last(self) -> None:
        """Set aside what `restore` has read, because there is something on the canvas already."""
        self._background.run(
            lambda: attempt(lambda: _keep(self.folder, self._room, "")), self._tell
        )

    def kept(self) -> list[Kept]:
        """The newest first."""
        return [Kept(folder) for folder in _kept(self._room)]

    def open_kept(self, kept: Kept, then: Callable[[Opened | EngineError | None], None]) -> None:
        self._background.run(lambda: attempt(lambda: _opened(kept.folder)), then)

    def close(self) -> None:
        """Write what is not written yet, and wait for it."""
        waiting = self._settle.isActive() or self._longest.isActive() or self._changed
        self._stop()
        if self._follows and waiting:
            session = self._take()
            self._background.run(lambda: attempt(lambda: self._write(session)), self._tell)
        self._follows, self._closed = False, True
        self._background.finish()
        self._lock.unlock()

    def _timer(self, milliseconds: int) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        timer.timeout.connect(self._save)
        return timer

    def _stop(self) -> None:
        self._settle.stop()
        self._longest.stop()
        self._changed = False

    def _save(self) -> None:
        self._stop()
        if self._busy:
            self._changed = True  # once more when this one is done
            return
        self._busy = True
        session = self._take()
        self._background.run(lambda: attempt(lambda: self._write(session)), self._after)

    def _write(self, session: Callable[[], Session]) -> None:
        try:
            taken = session()
            self._autosave.save(taken)
            self._held = taken.selection
        finally:  # here, because a bug in the above may not be the end of all saving
            self._busy = False

    def _tell(self, error: EngineError | None) -> None:
        if error:
            self.failed.emit(error)

    def _after(self, error: EngineError | None) -> None:
        if not self._has_failed:
            self._tell(error)
        self._has_failed = error is not None
        if self._changed:
            self._save()
        elif error and self._follows:
            self._settle.start(RETRY)

    def _read_last(self) -> Opened | None:
        files.sweep_temporary(self.folder)
        self._adopt_orphans()
        try:
            opened = _opened(self.folder)
        except EngineError:
            _keep(self.folder, self._room, "damaged")
            raise
        if opened and opened.lost:
            _keep(self.folder, self._room, "damaged")
        elif opened:
            self._autosave.adopt(opened.keys or {})
            self._held = opened.selection
        return opened

    def _adopt_orphans(self) -> None:
        """What a second window had on its canvas when it ended is found among the kept ones."""
        for folder in self._room.glob("current-*"):
            lock = _lock_of(folder)
            if folder.is_dir() and folder != self.folder and lock.tryLock(0):
                _keep(folder, self._room, "")
                lock.unlock()


def _claim(room: Path) -> tuple[QLockFile, Path]:
    """A folder that no other window writes into."""
    with suppress(OSError):  # told when something is to be written
        room.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        folder = room / ("current" if number == 1 else f"current-{number}")
        lock = _lock_of(folder)
        if lock.tryLock(0) or lock.error() is not QLockFile.LockError.LockFailedError:
            return lock, folder
        number += 1


def _lock_of(folder: Path) -> QLockFile:
    lock = QLockFile(str(folder.with_suffix(".lock")))
    lock.setStaleLockTime(0)  # a window may be open for days; only a dead process lets go
    return lock


def _opened(folder: Path) -> Opened | None:
    session = load(folder)
    return opened_session(folder, session) if session else None


def _keep(folder: Path, room: Path, name: str) -> None:
    """Move a folder among the kept ones, of which the oldest go; raises FileError."""
    plain = re.sub(r"[^\w ()-]", "", name)[:60].strip()
    try:
        (room / "kept").mkdir(parents=True, exist_ok=True)
        label = f"{files.timestamp()}-{plain}".rstrip("-")
        folder.rename(files.new_path(room / "kept", label, ""))
    except OSError as error:
        raise FileError(
            f"{folder} could not be set aside: {error.strerror or error}.",
            "Save the project first, then try again.",
        ) from error
    for old in _kept(room)[MOST_KEPT:]:
        try:
            files.remove_folder(old)
        except FileError as error:  # what is new is safe, which is what counts
            log.warning("an old canvas is still there: %s", error)


def _kept(room: Path) -> list[Path]:
    return sorted((path for path in (room / "kept").glob("2*") if path.is_dir()), reverse=True)
