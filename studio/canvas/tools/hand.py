"""The hand: moves the view over the picture, or carries the picture out of the window."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QCursor, QSinglePointEvent
from PySide6.QtWidgets import QApplication

from studio.canvas.tools.tool import Tool


class Hand(Tool):
    """A picture that is in view as a whole is carried out; one that is not is moved."""

    id = "hand"
    title = "Hand"
    icon = "hand"
    shortcut = "H"
    help = "Move the view. A picture that is all in view can be dragged into another program."

    carried_out = Signal()
    """The picture is dragged: whoever knows its file goes on with it."""

    _held: QPointF | None = None

    @property
    def cursor(self) -> QCursor:
        held = self._held is not None
        return QCursor(Qt.CursorShape.ClosedHandCursor if held else Qt.CursorShape.OpenHandCursor)

    def press(self, event: QSinglePointEvent) -> None:
        self._held = event.position()
        self.view.show_cursor()

    def move(self, event: QSinglePointEvent) -> None:
        if self._held is None:
            return
        way = event.position() - self._held
        if QRectF(self.view.rect()).contains(self.view.viewport.picture_rect()):
            if way.manhattanLength() >= QApplication.startDragDistance():
                self.leave()
                self.carried_out.emit()
        else:
            self._held = event.position()
            self.view.pan(way)

    def release(self, event: QSinglePointEvent) -> None:
        self.leave()

    def leave(self) -> None:
        self._held = None
        self.view.show_cursor()

    cancel = leave
