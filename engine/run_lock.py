"""One trainer a run: a lock that the system takes back when its process ends, however it ends.

The heartbeat says who trains a run to everybody, also on other machines, but late: a training that
is still loading its data has none. Of two that begin at once, this lets one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine import files
from engine.errors import FileError

NAME = "trainer.lock"


@contextmanager
def held(run: Path) -> Iterator[None]:
    """Hold the run while training it; raises FileError when another process does."""
    files.make_folder(run)
    busy = FileError(
        f"{run} is being trained already, by another process.", "Stop that training first."
    )
    with locked(run / NAME, busy):
        yield


@contextmanager
def locked(path: Path, busy: FileError) -> Iterator[None]:
    """Hold the lock of that name; raises `busy` when another process does."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise files.unreadable(path, error) from error
    try:
        if not _take(descriptor):
            raise busy
        yield
    finally:
        os.close(descriptor)  # lets go of it; the file stays, since others may hold it by now


if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import errno
    import fcntl

    def _take(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            # Some network folders know no locks: the heartbeat has to do there.
            return error.errno not in (errno.EWOULDBLOCK, errno.EACCES)
        return True
