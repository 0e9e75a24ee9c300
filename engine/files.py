"""The one way to write a file: temp, length checked, flush, fsync, rename. Nothing is half-written.

A name of a temporary file starts with `TEMPORARY_PREFIX`, so that one left behind by a kill can be
told apart and swept.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from engine.errors import FileError

TEMPORARY_PREFIX = ".atelier-"


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path`, whole or not at all; raises FileError."""

    def write(temporary: Path) -> None:
        with open(temporary, "wb") as stream:
            if stream.write(data) != len(data):
                raise OSError(f"only a part of {len(data)} bytes was written")

    write_with(path, write)


def write_text(path: Path, text: str) -> None:
    # A lone surrogate cannot be encoded; a replacement mark is better than a lost text.
    write_bytes(path, text.encode("utf-8", "replace"))


def write_json(path: Path, value: Any) -> None:
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_with(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write(temporary)` make the file, then put it in the place of `path` in one step.

    For libraries that insist on writing files themselves (safetensors, PIL).
    Raises FileError; the file that was at `path` before is then still there, untouched.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            prefix=TEMPORARY_PREFIX, suffix=path.suffix, dir=path.parent
        )
        os.close(handle)
    except OSError as error:
        raise _cannot_write(path, error) from error
    temporary = Path(name)
    try:
        write(temporary)
        _sync(temporary)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
        _sync(path.parent)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def append_line(path: Path, line: str) -> None:
    """Add one line to a log that others read while it grows; raises FileError."""
    try:
        with open(path, "ab") as stream:
            stream.write(line.encode("utf-8") + b"\n")
    except OSError as error:
        raise _cannot_write(path, error) from error


def new_path(folder: Path, stem: str, suffix: str) -> Path:
    """A path in `folder` that does not exist yet: `stem`, else `stem-2`, `stem-3`, …"""
    path = folder / f"{stem}{suffix}"
    number = 2
    while path.exists():
        path = folder / f"{stem}-{number}{suffix}"
        number += 1
    return path


def timestamp() -> str:
    """Local time for file names: 20261122-041500."""
    return datetime.now().strftime("%Y%m%d-%H%M%S")


def make_folder(path: Path) -> None:
    """Make sure `path` is a folder that can be written into; raises FileError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(prefix=TEMPORARY_PREFIX, dir=path):
            pass
    except OSError as error:
        raise _cannot_write(path, error) from error


def sweep_temporary(folder: Path) -> None:
    """Remove temporary files that a killed process left in `folder`."""
    for orphan in folder.glob(f"{TEMPORARY_PREFIX}*"):
        orphan.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    if path.is_dir() and os.name == "nt":
        return  # Windows cannot open a folder
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _cannot_write(path: Path, error: OSError) -> FileError:
    reason = error.strerror or str(error)
    return FileError(
        f"{path} could not be written: {reason}.",
        "Free some space or choose another folder, then try again.",
    )
