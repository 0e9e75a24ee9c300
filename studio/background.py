"""Runs functions off the GUI thread, one after the other, and hands the results back on it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, Signal
from shiboken6 import isValid

from engine.errors import EngineError

Result = TypeVar("Result")


class Background(QObject):
    """For reading files that may be many, long or on a slow disk.

    What comes back after `owner` has been deleted is dropped.
    """

    _done = Signal(object, object, object)

    def __init__(self, owner: QObject) -> None:
        super().__init__()  # no parent: a thread may still hold it when its owner is deleted
        self._owner = owner
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="background")
        self._done.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def run(self, work: Callable[[], Any], then: Callable[[Any], object]) -> None:
        """Call `work` on the thread, then `then` with its result on the GUI thread.

        What `work` raises is raised again on the GUI thread, where the excepthook shows it.
        """
        future = self._thread.submit(work)
        # The signal carries this object, so that it outlives its own delivery.
        future.add_done_callback(lambda done: self._done.emit(self, then, done))

    def finish(self) -> None:
        """Wait for what has been asked for; nothing can be asked for after that."""
        self._thread.shutdown()

    def _deliver(self, _: Background, then: Callable[[Any], object], done: Future[Any]) -> None:
        if isValid(self._owner):
            then(done.result())


def attempt(work: Callable[[], Result]) -> Result | EngineError:
    """For `work` whose failure is an answer too."""
    try:
        return work()
    except EngineError as error:
        return error
