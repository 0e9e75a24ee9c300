"""The one way to write a file: temp, length checked, flush, fsync, rename. Nothing is half-written.

The name of a temporary file starts with `TEMPORARY_PREFIX` and the id of the process that writes
it, so that one left behind by a kill can be told apart and swept.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from engine.errors import FileError
from engine.liveness import process_exists

TEMPORARY_PREFIX = ".atelier-"

UMASK = os.umask(0o022)  # can only be asked for by setting it, which no other thread may see
os.umask(UMASK)


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path`, whole or not at all; raises FileError."""
    write_with(path, lambda temporary: _fill(temporary, data))


def write_text(path: Path, text: str) -> None:
    # A lone surrogate cannot be encoded; a replacement mark is better than a lost text.
    write_bytes(path, text.encode("utf-8", "replace"))


def write_json(path: Path, value: Any) -> None:
    write_bytes(path, json_bytes(value))


def json_bytes(value: Any) -> bytes:
    """`value` as we write JSON: readable, UTF-8, without NaN."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return text.encode("utf-8", "replace")


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file; raises FileError when there is none."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise unreadable(path, error) from error
    if not isinstance(value, dict):
        raise FileError(f"{path} is not a JSON object.", "The file may be damaged.")
    return value


def unreadable(path: Path, error: Exception) -> FileError:
    reason = error.strerror if isinstance(error, OSError) else error
    return FileError(f"{path} cannot be read: {reason}.", "The file may be damaged.")


def write_new(path: Path, data: bytes) -> bool:
    """Write `data` to `path` if nothing is there yet, whole or not at all; raises FileError.

    Returns whether it did: of several processes that try at once, one does.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(suffix=path.suffix, prefix=_prefix(), dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        try:
            _fill(temporary, data)
            os.chmod(temporary, 0o666 & ~UMASK)
            os.link(temporary, path)  # a rename would take the place of what is there
        finally:
            temporary.unlink()
        _sync_folder(path.parent)
    except FileExistsError:
        return False
    except OSError as error:
        raise _cannot_write(path, error) from error
    return True


def write_with(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write(temporary)` make the file, then put it in the place of `path` in one step.

    For libraries that insist on writing files themselves (PIL).
    Raises FileError; the file that was at `path` before is then still there, untouched.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(suffix=path.suffix, prefix=_prefix(), dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise _cannot_write(path, error) from error
    temporary = Path(name)
    try:
        write(temporary)
        _sync(temporary)
        os.chmod(temporary, 0o666 & ~UMASK)
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        with suppress(OSError):  # the error above says more, and the orphan is swept later
            temporary.unlink(missing_ok=True)


def write_stream(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Let `write(stream)` fill the file, for what need not be in memory as a whole.

    It leaves the stream at its end. Raises FileError, as `write_with`.
    """

    def fill(temporary: Path) -> None:
        with open(temporary, "w+b") as stream:
            write(stream)
            stream.flush()
            _check_length(stream, stream.tell())

    write_with(path, fill)


def write_folder(path: Path, contents: Iterable[tuple[str, bytes]]) -> None:
    """Write a folder of files, whole or not at all; an older one at `path` is replaced.

    `contents` are (name, data), asked for one at a time. Raises FileError.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=_prefix(), dir=path.parent))
    except OSError as error:
        raise _cannot_write(path, error) from error
    try:
        for name, data in contents:
            _fill(temporary / name, data)
        _sync_folder(temporary)
        os.chmod(temporary, 0o777 & ~UMASK)
        _exchange(temporary, path)
        _sync_folder(path.parent)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def remove_folder(path: Path) -> None:
    """Remove a folder with all it holds, so that none ever sees it half-removed; raises FileError.

    What a kill in the middle leaves is swept as any temporary file.
    """
    try:
        shutil.rmtree(_moved_aside(path))
    except OSError as error:
        raise FileError(
            f"{path} could not be removed: {error.strerror or error}.",
            "Check that the folder can be written to, then try again.",
        ) from error


def move(path: Path, target: Path) -> None:
    """Give a file or folder another place on the same disk, in one step; raises FileError."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, target)
        _sync_folder(target.parent)
    except OSError as error:
        raise _cannot_write(target, error) from error


def append_line(path: Path, line: str) -> None:
    """Add one line to a log that others read while it grows, or nothing; raises FileError."""
    data = line.encode("utf-8", "replace") + b"\n"
    try:
        with open(path, "ab", buffering=0) as stream:
            before = stream.tell()
            try:
                if stream.write(data) != len(data):
                    raise OSError(f"only a part of {len(data)} bytes was written")
            except OSError:
                stream.truncate(before)
                raise
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
    """Make sure `path` is a folder that can be written into, and clean; raises FileError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        sweep_temporary(path)
        with tempfile.TemporaryFile(prefix=_prefix(), dir=path):
            pass
    except OSError as error:
        raise _cannot_write(path, error) from error


def sweep_temporary(folder: Path) -> None:
    """Remove what a killed process left half-written in `folder`; what is being written stays."""
    for orphan in folder.glob(f"{TEMPORARY_PREFIX}*-*"):
        writer = orphan.name.removeprefix(TEMPORARY_PREFIX).partition("-")[0]
        if not writer.isdecimal() or process_exists(int(writer)):
            continue
        with suppress(OSError):  # whoever cannot remove it can live with it
            if orphan.is_dir() and not orphan.is_symlink():
                shutil.rmtree(orphan)
            else:
                orphan.unlink()


def _exchange(temporary: Path, path: Path) -> None:
    """Give the folder `temporary` the name `path`; what had it before comes back if that fails."""
    if not path.exists():
        os.replace(temporary, path)
        return
    old = _moved_aside(path)
    try:
        os.replace(temporary, path)
    except OSError:
        os.replace(old, path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _moved_aside(path: Path) -> Path:
    aside = Path(tempfile.mkdtemp(prefix=_prefix(), dir=path.parent))
    try:
        aside.rmdir()  # the name is ours; Windows renames onto nothing only
        os.replace(path, aside)
    except OSError:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return aside


def _prefix() -> str:
    return f"{TEMPORARY_PREFIX}{os.getpid()}-"


def _fill(path: Path, data: bytes) -> None:
    """Write a file that nobody reads yet, and make sure that all of it is on the disk."""
    with open(path, "wb") as stream:
        stream.write(data)
        stream.flush()
        _check_length(stream, len(data))
        os.fsync(stream.fileno())


def _check_length(stream: BinaryIO, length: int) -> None:
    if os.fstat(stream.fileno()).st_size != length:
        raise OSError(f"only a part of {length} bytes was written")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(path: Path) -> None:
    """Make a rename last. Windows and some network folders refuse; the file is whole either way."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _cannot_write(path: Path, error: OSError) -> FileError:
    reason = error.strerror or str(error)
    return FileError(
        f"{path} could not be written: {reason}.",
        "Free some space or choose another folder, then try again.",
    )
