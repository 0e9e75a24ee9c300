"""A window in a cycle of references is deleted by the GUI thread, never by another one."""

from __future__ import annotations

import gc
import threading

from PySide6.QtCore import QObject

from studio.garbage import GarbageCollector


class Noted(QObject):
    """Writes down which thread deletes it."""

    def __init__(self, deleted_by: list[str]) -> None:
        super().__init__()
        self._deleted_by = deleted_by
        self._cycle = self

    def __del__(self) -> None:
        self._deleted_by.append(threading.current_thread().name)


def allocate() -> list[list[int]]:
    """Enough to make Python's own collector run."""
    return [[number] for number in range(200_000)]


def test_cycles_are_collected_on_the_gui_thread_only(qtbot) -> None:
    deleted_by: list[str] = []
    gc.enable()  # conftest does without it in tests with windows
    collector = GarbageCollector()
    try:
        Noted(deleted_by)
        thread = threading.Thread(target=allocate, name="reader")
        thread.start()
        thread.join()
        assert deleted_by == []
        kept = allocate()
        qtbot.waitUntil(lambda: bool(deleted_by))
        assert deleted_by == ["MainThread"]
        assert kept
    finally:
        collector.close()
    assert gc.isenabled()
