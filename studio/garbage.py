"""Collects Python's garbage on the GUI thread only: a QObject deleted on another one crashes."""

from __future__ import annotations

import gc
import sys

from PySide6.QtCore import QObject, QTimer

EVERY = 500  # milliseconds


class GarbageCollector(QObject):
    """Takes the place of Python's own collector, which runs on whichever thread comes along.

    A widget in a cycle of references (a lambda connected to its own signal is enough) would else be
    deleted by a thread that reads files or talks to a model process.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._modules = 0
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.collect)
        self._timer.start(EVERY)

    def collect(self) -> None:
        """Collect the generations that are due, by Python's own thresholds."""
        if len(sys.modules) > self._modules:
            # What has just been imported stays for good: looked through once more, then never
            # again, because it is most of the work of a full collection.
            self._modules = len(sys.modules)
            gc.collect()
            gc.freeze()
            return
        due = [
            generation
            for generation, (count, threshold) in enumerate(
                zip(gc.get_count(), gc.get_threshold(), strict=True)
            )
            if count > threshold
        ]
        if due:
            gc.collect(max(due))

    def close(self) -> None:
        self._timer.stop()
        gc.unfreeze()
        gc.enable()
