"""Copies files and builds folders, whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine import files
from engine.errors import FileError


def copy(path: Path, target: Path) -> None:
    """Copy one file; raises FileError."""
    try:
        with open(path, "rb") as stream:
            files.write_stream(target, lambda copied: shutil.copyfileobj(stream, copied))
    except OSError as error:
        raise files.unreadable(path, error) from error


def copy_folder(folder: Path, target: Path) -> None:
    """Copy a folder of files (it holds no other folders); raises FileError."""
    try:
        inside = sorted(folder.iterdir())
    except OSError as error:
        raise files.unreadable(folder, error) from error
    for path in inside:
        copy(path, target / path.name)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A temporary folder to fill, which becomes `path` at the end; raises FileError.

    `path` may be there if it is empty. When the filling fails, nothing is left.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.sweep_temporary(path.parent)
        prefix = f"{files.TEMPORARY_PREFIX}{os.getpid()}-"
        temporary = Path(tempfile.mkdtemp(prefix=prefix, dir=path.parent))
    except OSError as error:
        raise _cannot_make(path, error) from error
    try:
        yield temporary
        try:
            if path.is_dir():
                path.rmdir()
        except OSError as error:
            raise _cannot_make(path, error) from error
        temporary.chmod(0o777 & ~files.UMASK)
        files.move(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _cannot_make(path: Path, error: OSError) -> FileError:
    reason = error.strerror or str(error)
    return FileError(f"{path} could not be made: {reason}.", "Choose another folder.")
