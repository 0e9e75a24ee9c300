"""Deletes so that it can be undone: into the system's trash, else into one of our own."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QFile

from engine import files, folders
from engine.errors import FileError


@dataclass(frozen=True)
class Trashed:
    """A file that was deleted."""

    path: Path
    """Where it was."""
    place: Path | None
    """Where it is now; None where the system does not tell."""


def own_trash() -> Path:
    """For files that the system's trash does not take: another disk, no desktop."""
    return folders.home() / "trash"


def delete(path: Path) -> Trashed:
    """Move a file to the trash; raises FileError, the file is still there then."""
    if not os.path.lexists(path):
        raise FileError(f"{path} is not there any more.", "Nothing was deleted.")
    file = QFile(str(path))
    if file.moveToTrash():
        place = Path(file.fileName())
        return Trashed(path, place if place != path and place.exists() else None)
    return Trashed(path, _move_to_own(path))


def restore(trashed: Trashed) -> Path:
    """Bring a file back, beside whatever has its name now; raises FileError."""
    place = trashed.place
    if place is None or not os.path.lexists(place):
        raise FileError(
            f"{trashed.path.name} cannot be brought back from here.",
            "Look for it in the trash of your system; it may have been emptied.",
        )
    path = trashed.path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        target = files.new_path(path.parent, path.stem, path.suffix)
        _move(place, target)
    except OSError as error:
        raise FileError(
            f"{path} could not be brought back: {error.strerror or error}.",
            f"It is still at {place}.",
        ) from error
    _forget(place)
    return target


def _move_to_own(path: Path) -> Path:
    try:
        own_trash().mkdir(parents=True, exist_ok=True)
        place = files.new_path(own_trash(), path.stem, path.suffix)
        _move(path, place)
    except OSError as error:
        raise FileError(
            f"{path} could not be deleted: {error.strerror or error}.",
            "Check the permissions of the file and its folder, then try again.",
        ) from error
    return place


def _move(source: Path, target: Path) -> None:
    """To another disk by way of a copy, of which nothing is left when it fails; raises OSError."""
    try:
        shutil.move(source, target)
    except OSError:
        if os.path.lexists(source):
            with suppress(OSError):
                target.unlink(missing_ok=True)
        raise


def _forget(place: Path) -> None:
    """The desktops of Linux keep a note of where a deleted file came from beside it."""
    if place.parent.name == "files":
        with suppress(OSError):  # a note without a file is ignored
            note = place.parent.parent / "info" / f"{place.name}.trashinfo"
            note.unlink(missing_ok=True)
