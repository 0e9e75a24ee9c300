"""Reads and writes project files and exported pictures off the GUI thread, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from engine import files
from engine.errors import EngineError, FileError
from engine.projects.task_inputs import inputs_of
from studio.background import Background, attempt
from studio.canvas.project import Opened, Snapshot
from studio.canvas.project_saving import Read, Written, export_picture, open_project, save_project

Told = Callable[[EngineError | None], object]
Stamp = tuple[Path, int, int]
"""A file, when it was changed, and its length."""


class ProjectFiles(QObject):
    """Remembers what the last file holds, so that only layers that have changed are made anew."""

    noticed = Signal(object)  # an EngineError that has kept nothing from being done

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._background = Background(self)
        self._written = Written()
        self._reading = False
        self._stamp: Stamp | None = None
        """The file that was read or written last, as it was then."""

    def read(self, path: Path, then: Callable[[Opened | EngineError], object]) -> None:
        """While one is being read, another is not asked for."""
        if self._reading:
            return
        self._reading = True

        def take(read: Read | EngineError) -> None:
            self._reading = False
            if isinstance(read, EngineError):
                then(read)
            else:
                self._written, self._stamp = read.written, stamp
                then(read.opened)

        stamp = _stamp(path)
        self._background.run(lambda: attempt(lambda: open_project(path)), take)

    def save(self, path: Path, snapshot: Snapshot, then: Told) -> None:
        records = [entry.record for entry in snapshot.contents.layers if entry.record]

        def write() -> Path | None:
            files.sweep_temporary(path.parent)
            aside = self._set_aside(path)
            try:
                self._written = save_project(path, snapshot, inputs_of(records), self._written)
            except EngineError:
                if aside:
                    aside.rename(path)
                raise
            self._stamp = _stamp(path)
            return aside

        def take(result: Path | EngineError | None) -> None:
            if isinstance(result, Path):
                self._tell_of_another(result)
            then(result if isinstance(result, EngineError) else None)

        self._background.run(lambda: attempt(write), take)

    def export(self, path: Path, snapshot: Snapshot, then: Told, **how: Any) -> None:
        self._background.run(lambda: attempt(lambda: export_picture(path, snapshot, **how)), then)

    def _tell_of_another(self, aside: Path) -> None:
        self.noticed.emit(
            FileError(
                self.tr("Another window or program had saved this project too."),
                self.tr("What it saved is in {} now.").format(aside.name),
            )
        )

    def _set_aside(self, path: Path) -> Path | None:
        """Another window has saved the same project since: its file gets a name of its own."""
        if self._stamp is None or self._stamp[0] != path or _stamp(path) in (None, self._stamp):
            return None
        aside = files.new_path(path.parent, f"{path.stem} (other window)", path.suffix)
        try:
            path.rename(aside)
        except OSError as error:
            raise FileError(
                f"{path} was changed by another program: {error.strerror or error}.",
                "Save under another name.",
            ) from error
        return aside

    def close(self) -> None:
        """Wait for what is being written."""
        self._background.finish()


def _stamp(path: Path) -> Stamp | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return path, status.st_mtime_ns, status.st_size
