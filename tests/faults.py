"""A disk that fails: at the first, second, third… operation, for one moment or from then on."""

from __future__ import annotations

import errno
import io
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from engine import files
from engine.errors import FileError


class Disk:
    """Counts what is asked of it and fails at operation `fail_at` (and after, with `for_good`)."""

    def __init__(self, fail_at: int, for_good: bool) -> None:
        self.fail_at = fail_at
        self.for_good = for_good
        self.operations = 0
        self.failed = False

    def ask(self) -> None:
        self.operations += 1
        if self.operations == self.fail_at or (self.for_good and self.operations > self.fail_at):
            self.failed = True
            raise OSError(errno.ENOSPC, "No space left on device")

    def wrap(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def asked(*arguments: Any, **named: Any) -> Any:
            self.ask()
            return function(*arguments, **named)

        return asked

    def open(self, path: Path, mode: str = "r", buffering: int = -1, **named: Any) -> Any:
        if "r" in mode:
            return open(path, mode, buffering, **named)
        self.ask()
        raw = _Raw(self, path, mode.replace("b", ""))
        if buffering == 0:
            return raw
        return io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)


class _Raw(io.FileIO):
    """A file of that disk. What it still takes before it fails is half of what it was given."""

    def __init__(self, disk: Disk, path: Path, mode: str) -> None:
        super().__init__(path, mode)
        self._disk = disk

    def write(self, data: Any) -> int:
        try:
            self._disk.ask()
        except OSError:
            super().write(bytes(data)[: len(data) // 2])
            raise
        return super().write(data)


@contextmanager
def failing_disk(fail_at: int, for_good: bool = False) -> Iterator[Disk]:
    disk = Disk(fail_at, for_good)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "open", disk.open, raising=False)
        for name in ("replace", "fsync", "chmod", "mkdir"):
            patch.setattr(os, name, disk.wrap(getattr(os, name)))
        for name in ("mkstemp", "mkdtemp"):
            patch.setattr(tempfile, name, disk.wrap(getattr(tempfile, name)))
        yield disk


def temporary_files(folder: Path) -> list[Path]:
    return list(folder.rglob(f"{files.TEMPORARY_PREFIX}*"))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below `folder`."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def restore(folder: Path, before: dict[str, bytes]) -> None:
    shutil.rmtree(folder)
    for name, data in before.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def assert_nothing_is_lost(
    folder: Path, save: Callable[[], object], named: Path, *, for_good: bool = False
) -> int:
    """Let `save` meet a failure at every operation it makes; returns how many there were.

    Each time either the old files are there, byte for byte, and a FileError names `named`, or the
    new ones are there; never anything between, and no temporary file.
    """
    before = contents(folder)
    for fail_at in range(1, 1000):
        error: FileError | None = None
        with failing_disk(fail_at, for_good) as disk:
            try:
                save()
            except FileError as caught:
                error = caught
        if not disk.failed:
            assert contents(folder) != before, "what was to be saved is there in the end"
            return fail_at - 1
        assert temporary_files(folder) == []
        if error is None:  # what failed did not matter, so everything new is there
            assert contents(folder) != before
            restore(folder, before)
            continue
        assert str(named) in error.message
        assert error.hint
        assert contents(folder) == before
    raise AssertionError("it never ends")
