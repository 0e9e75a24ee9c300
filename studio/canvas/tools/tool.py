"""What all tools have in common: their place in the box, what the canvas asks of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from PySide6.QtCore import QObject, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QCursor, QKeyEvent, QKeySequence, QPainter, QSinglePointEvent

from studio.canvas.document import Document
from studio.canvas.layer import Layer, LayerKind

if TYPE_CHECKING:
    from studio.canvas.tools.tool_box import ToolBox
    from studio.canvas.view import CanvasView

SHIFT = Qt.KeyboardModifier.ShiftModifier
ALT = Qt.KeyboardModifier.AltModifier


APPLY = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


def discards(event: QKeyEvent) -> bool:
    """Whether the key asks to drop what is going on."""
    return event.key() == Qt.Key.Key_Escape or event.matches(QKeySequence.StandardKey.Undo)


class Tool(QObject):
    """Subclasses say what a press, a move and a release do; each deed is one step to undo.

    Options are class attributes made by `Option`; the options bar builds itself from them.
    """

    id: ClassVar[str]
    title: ClassVar[str]
    icon: ClassVar[str]
    shortcut: ClassVar[str]
    help: ClassVar[str]
    """What to do with it, in a line; shown in the tooltip and beside the options."""

    option_changed = Signal(str)

    def __init__(self, box: ToolBox) -> None:
        super().__init__(box)
        self.box = box
        self.values: dict[str, Any] = {}

    # ------------------------------------------------------------------ what the canvas asks

    @property
    def cursor(self) -> QCursor:
        return QCursor(Qt.CursorShape.CrossCursor)

    @property
    def is_busy(self) -> bool:
        """Whether it waits for Enter or Escape; an undo discards too what is in the hand."""
        return False

    def press(self, event: QSinglePointEvent) -> None:
        """The left button went down, or the pen."""

    def move(self, event: QSinglePointEvent) -> None:
        """It moves while it is down."""

    def release(self, event: QSinglePointEvent) -> None: ...

    def hover(self, event: QSinglePointEvent) -> None:
        """It moves while no button is down."""

    def key(self, event: QKeyEvent) -> bool:
        """Whether the tool has used the key."""
        return False

    def overlay(self, painter: QPainter) -> None:
        """Paint over the canvas, in logical pixels of the view."""

    def leave(self) -> None:
        """Another tool is taken: finish what is going on."""

    def cancel(self) -> None:
        """The document is going to change by other hands: drop what is going on."""

    # ------------------------------------------------------------------ what subclasses need

    @property
    def view(self) -> CanvasView:
        return self.box.view

    @property
    def document(self) -> Document:
        return self.box.view.document

    def place(self, event: QSinglePointEvent) -> QPointF:
        """Where that is, in pixels of the document."""
        return self.view.to_document(event.position())

    def pixel(self, event: QSinglePointEvent) -> QPoint:
        place = self.place(event)
        return QPoint(int(place.x() // 1), int(place.y() // 1))

    def say(self, remark: str) -> None:
        self.box.remark.emit(remark)

    def layer_to_change(self) -> Layer | None:
        """The active layer; None, with a remark, where it must not or cannot be changed."""
        layer = self.document.active
        if layer is None:
            self.say(self.tr("There is no layer to change. Choose one in the list of layers."))
        elif layer.locked:
            self.say(self.tr("“{}” is locked. Unlock it to change it.").format(layer.name))
        elif not layer.visible:
            self.say(self.tr("“{}” is hidden. Show it to change it.").format(layer.name))
        else:
            return layer
        return None

    def layer_to_paint(self) -> Layer | None:
        """As `layer_to_change`; a document without layers gets its first one."""
        if not self.document.layers:
            layer = Layer(self.tr("Layer {}").format(1), LayerKind.RASTER)
            self.document.add_layer(layer)
            self.document.set_active(layer)
        return self.layer_to_change()
