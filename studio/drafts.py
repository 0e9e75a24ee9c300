"""The draft on the disk: written soon after every change, atomically, off the GUI thread."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from engine import files
from engine.errors import FileError

log = logging.getLogger(__name__)

SAVE_AFTER = 500
"""Milliseconds from a change to its writing: a kill loses at most a second."""


class Draft(QObject):
    """Keeps `path` like what `read()` returns, once `touch` has said that it changed; `show` gets
    the text of the last session."""

    saved = Signal()
    failed = Signal(object)  # a FileError

    _written = Signal(object)  # the error, or None

    def __init__(
        self,
        path: Path,
        read: Callable[[], str],
        show: Callable[[str], object],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.path = path
        self._read = read
        self._show = show
        self._closed = self._restoring = False
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="draft")
        self._written.connect(self._after_write)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SAVE_AFTER)
        self._timer.timeout.connect(self._save)

    def restore(self) -> None:
        """Show the text of the last session.

        Raises FileError when it cannot be read; it is left alone then, and this session writes
        beside it.
        """
        self._restoring = True  # what is shown is on the disk already
        try:
            there = self.path.exists()
            self._show(self.path.read_text(encoding="utf-8", errors="replace") if there else "")
        except OSError as error:
            unreadable = self.path
            self.path = files.new_path(unreadable.parent, unreadable.stem, unreadable.suffix)
            raise FileError(
                f"{unreadable} could not be read: {error.strerror or error}.",
                f"What you write now is kept in {self.path.name} beside it.",
            ) from error
        finally:
            self._restoring = False

    def touch(self) -> None:
        """The text has changed."""
        if not (self._timer.isActive() or self._closed or self._restoring):
            self._timer.start()

    def close(self) -> None:
        """Write what is not written yet, and wait for it."""
        if self._timer.isActive():
            self._save()
        self._closed = True
        self._writer.shutdown()

    def _save(self) -> None:
        self._timer.stop()
        self._writer.submit(files.write_text, self.path, self._read()).add_done_callback(self._tell)

    def _tell(self, write: Future[None]) -> None:
        error = write.exception()
        if error is not None:
            log.warning("the draft was not saved: %s", error)
        self._written.emit(error)

    def _after_write(self, error: object) -> None:
        if error is None:
            self.saved.emit()
        else:
            self.failed.emit(error)
