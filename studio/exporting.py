"""Exports pictures where the person wants them, off the GUI thread, one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from engine.errors import EngineError
from engine.generators.export_image import ExportImage
from studio.background import Background, attempt

Copies = list[tuple[Path, Path]]
"""From, to."""


class Exporting(QObject):
    """One export at a time; exactly one of `finished`, `failed`, `stopped` ends it."""

    finished = Signal(object)  # list of the Paths written
    failed = Signal(object)  # EngineError
    stopped = Signal(object)  # list of the Paths written until then

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._background = Background(self)
        self._waiting: Copies = []
        self._written: list[Path] = []
        self._values: dict[str, Any] = {}
        self._stopping = False
        self.running = False

    def start(self, copies: Copies, values: Mapping[str, Any]) -> None:
        """`values` are fields of `export_image`."""
        self._waiting, self._written, self._values = list(copies), [], dict(values)
        self._stopping, self.running = False, True
        self._next()

    def stop(self) -> None:
        """After the picture that is being written, which is written whole."""
        self._stopping = True

    def _next(self) -> None:
        if self._stopping or not self._waiting:
            self.running = False
            (self.stopped if self._waiting else self.finished).emit(self._written)
            return
        source, target = self._waiting.pop(0)
        task = ExportImage(image=str(source), **self._values)
        self._background.run(lambda: attempt(lambda: task.write(target)), self._take)

    def _take(self, result: Path | EngineError) -> None:
        if isinstance(result, EngineError):
            self.running = False
            self.failed.emit(result)
            return
        self._written.append(result)
        self._next()
