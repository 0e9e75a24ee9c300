"""Lists the files that belong into the gallery, with what a rescan needs to know of each."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from engine import folders
from engine.runs import RunFolder

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
MOST_DEPTH = 20
"""Folders within folders."""

Stat = tuple[int, int]
"""When a file was last written, in nanoseconds, and its bytes."""


@dataclass(frozen=True)
class Listing:
    """What there is, and where it cannot be told just now."""

    files: dict[bytes, Stat] = field(default_factory=dict)
    """By key."""
    unread: list[Path] = field(default_factory=list)
    """Folders and files that are there, but cannot be looked at: a drive asleep, permissions."""

    def take(self, key: bytes, path: Path | os.DirEntry[bytes]) -> None:
        try:
            found = _stat(path)
        except OSError as error:
            if error.errno not in _GONE:
                self.unread.append(Path(os.fsdecode(path)))
        else:
            if found is not None:
                self.files[key] = found

    def fail(self, folder: Path, error: OSError) -> None:
        """One that is gone is no failure; but behind a link it may be the drive that is."""
        if error.errno not in _GONE or folder.is_symlink():
            self.unread.append(folder)


_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


def list_pictures() -> Listing:
    """Every picture below the outputs, and the latest samples of each training run."""
    listing = Listing()
    _list_folder(os.fsencode(folders.outputs()), 0, listing)
    for path in _latest_samples(listing):
        listing.take(key_of(path), path)
    return listing


def key_of(path: Path) -> bytes:
    """The path below the data folder: it stays when the whole folder is moved."""
    return os.fsencode(os.path.relpath(path, folders.home())).replace(os.sep.encode(), b"/")


def path_of(key: bytes) -> Path:
    return folders.home() / os.fsdecode(key)


def stat_of(path: Path | os.DirEntry[bytes]) -> Stat | None:
    """None for what is no regular file, or none any more."""
    try:
        return _stat(path)
    except (OSError, ValueError):
        return None


def _stat(path: Path | os.DirEntry[bytes]) -> Stat | None:
    found = path.stat()
    return (found.st_mtime_ns, found.st_size) if stat.S_ISREG(found.st_mode) else None


def is_listed(path: Path) -> bool:
    """Whether a file is one that `list_pictures` would look at, by its name and place alone."""
    return folders.outputs() in path.parents and is_picture_name(os.fsencode(path.name))


def is_picture_name(name: bytes) -> bool:
    hidden = name.startswith(b".")  # also what is being written just now
    return not hidden and os.fsdecode(name).lower().endswith(SUFFIXES)


def watched_folders(most: int) -> list[Path]:
    """The folders in which new pictures may appear, `most` at the most."""
    found = [folders.outputs()]
    for folder in found:
        if len(found) >= most:
            break
        found += sorted(_subfolders(folder))[: most - len(found)]
    return [folder for folder in found if folder.is_dir()]


def _subfolders(folder: Path) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                    yield Path(entry.path)
    except OSError:
        return


def _list_folder(folder: bytes, depth: int, listing: Listing) -> None:
    """Without links to folders, which may lead round in circles."""
    start = len(os.fsencode(folders.home())) + 1
    below: list[bytes] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(b"."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    below.append(entry.path)
                elif is_picture_name(entry.name):
                    listing.take(entry.path[start:].replace(os.sep.encode(), b"/"), entry)
    except OSError as error:
        listing.fail(Path(os.fsdecode(folder)), error)
        return
    for name in below if depth < MOST_DEPTH else ():
        _list_folder(name, depth + 1, listing)


def _latest_samples(listing: Listing) -> Iterator[Path]:
    for run in _inside(folders.runs(), listing):
        samples = RunFolder(run).samples() if _inside(run / "samples", listing) else []
        if samples and is_picture_name(os.fsencode(samples[-1][1].name)):  # some runs write texts
            yield samples[-1][1]


def _inside(folder: Path, listing: Listing) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        listing.fail(folder, error)
        return []
