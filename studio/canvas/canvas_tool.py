"""What a canvas view asks of the tool it is given."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtGui import QCursor, QKeyEvent, QPainter, QSinglePointEvent


class CanvasTool(Protocol):
    """What the view asks of a tool; the places of events are logical pixels of the view."""

    @property
    def cursor(self) -> QCursor: ...
    def press(self, event: QSinglePointEvent) -> None: ...
    def move(self, event: QSinglePointEvent) -> None: ...
    def release(self, event: QSinglePointEvent) -> None: ...
    def hover(self, event: QSinglePointEvent) -> None: ...
    def key(self, event: QKeyEvent) -> bool:
        """Whether it used the key."""

    @property
    def is_busy(self) -> bool:
        """Whether it waits for Enter or Escape."""

    def overlay(self, painter: QPainter) -> None:
        """Paint over the canvas, in logical pixels of the view."""
