"""The move tool: drags the active layer, or what is selected of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QCursor, QKeyEvent, QSinglePointEvent, QTransform

from studio.canvas.tools.floating import Floating, liftable
from studio.canvas.tools.tool import SHIFT, Tool, discards

if TYPE_CHECKING:
    from studio.canvas.tools.tool_box import ToolBox

NUDGES = {
    Qt.Key.Key_Left: QPoint(-1, 0),
    Qt.Key.Key_Right: QPoint(1, 0),
    Qt.Key.Key_Up: QPoint(0, -1),
    Qt.Key.Key_Down: QPoint(0, 1),
}
FAR = 10  # pixels with Shift
PAUSE = 300  # milliseconds after the last repeat of a held key until its way is one step


class Move(Tool):
    """Shift keeps to one direction; arrow keys go by one pixel, with Shift by ten."""

    id = "move"
    title = "Move"
    icon = "move"
    shortcut = "V"
    help = "Drag the layer, or what is selected of it. Arrow keys move it pixel by pixel."

    def __init__(self, box: ToolBox) -> None:
        super().__init__(box)
        self._floating: Floating | None = None
        self._from = QPointF()
        self._by = QPoint()
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE)
        self._pause.timeout.connect(self.leave)

    @property
    def is_busy(self) -> bool:
        return self._floating is not None

    @property
    def cursor(self) -> QCursor:
        return QCursor(Qt.CursorShape.SizeAllCursor)

    def press(self, event: QSinglePointEvent) -> None:
        self.leave()
        self._from = self.place(event)
        self._lift()

    def move(self, event: QSinglePointEvent) -> None:
        way = self.place(event) - self._from
        if event.modifiers() & SHIFT:
            way = QPointF(way.x(), 0) if abs(way.x()) >= abs(way.y()) else QPointF(0, way.y())
        self._hold(QPoint(round(way.x()), round(way.y())))

    def release(self, event: QSinglePointEvent) -> None:
        self.leave()

    def key(self, event: QKeyEvent) -> bool:
        if self.is_busy and discards(event):
            self.cancel()
            return True
        way = NUDGES.get(Qt.Key(event.key()))
        if way is None:
            return False
        if not event.isAutoRepeat():
            self.leave()
        if self._floating is None:
            self._lift()
        self._hold(self._by + way * (FAR if event.modifiers() & SHIFT else 1))
        self._pause.start()
        return True

    def leave(self) -> None:
        self._pause.stop()
        floating, self._floating = self._floating, None
        if floating is not None:
            floating.put_down()

    def cancel(self) -> None:
        self._pause.stop()
        floating, self._floating = self._floating, None
        if floating is not None:
            floating.give_back()

    def _lift(self) -> None:
        self._by = QPoint()
        layer = self.layer_to_change()
        if layer is None:
            return
        if liftable(self.document, layer).isEmpty():
            self.say(self.tr("There is nothing to move here on “{}”.").format(layer.name))
            return
        self._floating = Floating(self.document, layer, self.tr("Move"))

    def _hold(self, by: QPoint) -> None:
        self._by = by
        if self._floating is not None:
            self._floating.show(QTransform.fromTranslate(by.x(), by.y()))
