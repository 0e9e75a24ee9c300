"""Where a document is seen and worked on: the tool's events, what is staged, the selection."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QSinglePointEvent,
    QTabletEvent,
)
from PySide6.QtWidgets import QWidget

from studio import theme
from studio.canvas.ants import INTERVAL
from studio.canvas.canvas_tool import CanvasTool
from studio.canvas.document import Document
from studio.canvas.painting import Shown
from studio.canvas.staged import Divider, Staged
from studio.widgets.picture_view import PictureView, mime_of
from studio.widgets.viewport import CRISP_FROM

__all__ = ["CanvasTool", "CanvasView", "Staged"]

EDGE = 2  # logical pixels around what has changed that are painted again


class CanvasView(PictureView):
    """Shows `document` and passes what mouse, pen and keyboard do to `tool`."""

    pointed = Signal(object)  # the QPointF of the document under the pointer, or None
    compare_moved = Signal(float)  # the person has moved the line between before and after

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._tool: CanvasTool | None = None
        self._pressed = False
        self._staged: Staged | None = None
        self._divider: Divider | None = None
        self._dividing = False
        self._step = 0
        self._ants = QTimer(self)
        self._ants.setInterval(INTERVAL)
        self._ants.timeout.connect(self._march)
        self._late = QRect()  # of the document: changed, and not painted yet
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._catch_up)
        self._document = document
        self.set_document(document)

    # ------------------------------------------------------------------ what is shown

    @property
    def document(self) -> Document:
        return self._document

    def set_document(self, document: Document) -> None:
        old, self._document = self._document, document
        if old is not document:
            for signal, slot in self._wires(old):
                signal.disconnect(slot)
        for signal, slot in self._wires(document):
            signal.connect(slot)
        self._show_size()
        self._show_selection()

    def _wires(self, document: Document) -> list[tuple[Any, Any]]:
        return [
            (document.changed, self._show_change),
            (document.resized, self._show_size),
            (document.selection_changed, self._show_selection),
        ]

    @property
    def tool(self) -> CanvasTool | None:
        return self._tool

    def set_tool(self, tool: CanvasTool | None) -> None:
        self._tool = tool
        self._pressed = False
        self.show_cursor()
        self.update()

    @property
    def staged(self) -> Staged | None:
        return self._staged

    def set_staged(self, staged: Staged | None) -> None:
        """Show a result over the document, or the document alone again."""
        self._staged = staged
        self._show_size()

    @property
    def compare(self) -> float | None:
        """Where the line between before (left) and after is: 0 to 1 of the picture's width."""
        return self._divider.place if self._divider else None

    def set_compare(self, place: float | None) -> None:
        """Show what is staged only at the right of `place`; None: everywhere.

        The line can be dragged, and moved by < and >.
        """
        self._divider = None if place is None else Divider(place)
        self.update()

    def _show_size(self) -> None:
        staged = self._staged
        size = staged.rect.size() if staged and staged.alone else self._document.size
        self.setAccessibleDescription(
            self.tr("A picture of {} × {} pixels").format(size.width(), size.height())
        )
        self.viewport.reach(QRectF(staged.rect) if staged and not staged.alone else QRectF())
        self._set_picture(QSize(size))

    def _show_change(self, rect: QRect) -> None:
        # A pixel of the document is smoothed into those beside it.
        around = rect.adjusted(-1, -1, 1, 1) if self.zoom < CRISP_FROM else rect
        self.update_area(self.viewport.transform().mapRect(QRectF(around)))

    def _catch_up(self) -> None:
        late, self._late = self._late, QRect()
        self._show_change(late)

    def _show_selection(self) -> None:
        if self._document.selection.is_empty:
            self._ants.stop()
        else:
            self._ants.start()
        self.update()

    def _march(self) -> None:
        self._step += 1
        outline = self._document.selection.outline()
        self.update_area(self.viewport.transform().mapRect(outline.boundingRect()))

    # ------------------------------------------------------------------ places

    def to_document(self, place: QPointF) -> QPointF:
        inverse, _ = self.viewport.transform().inverted()
        return inverse.map(place)

    def from_document(self, point: QPointF) -> QPointF:
        return self.viewport.transform().map(point)

    def update_area(self, area: QRectF) -> None:
        """Paint `area` again, in logical pixels, with a margin for lines around it."""
        self.update(area.toAlignedRect().adjusted(-EDGE, -EDGE, EDGE, EDGE) & self.rect())

    def copy(self) -> None:
        """Put the picture on the clipboard: what is staged, else what is selected, else all."""
        if self._staged:
            shown = self._staged.image
        else:
            within = self._document.selection.bounds & self._document.rect
            shown = self._document.composite(None if within.isEmpty() else within)
        QGuiApplication.clipboard().setMimeData(mime_of(shown, None))

    # ------------------------------------------------------------------ painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        shown = Shown(self._document, self.viewport, self._staged, self._divider, self._step)
        late = shown.paint(painter, event.rect())
        if not late.isEmpty():
            self._late |= late
            self._soon.start()
        if self._tool:
            painter.save()
            self._tool.overlay(painter)
            painter.restore()
        if self.hasFocus():
            painter.setPen(theme.colors().accent_text)
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    # ------------------------------------------------------------------ mouse and pen

    def mousePressEvent(self, event: QMouseEvent) -> None:
        left = event.button() == Qt.MouseButton.LeftButton
        if left and not self._space and self._is_at_divider(event):
            self._dividing = True
        elif self.takes_hand(event):
            super().mousePressEvent(event)
        elif left:
            self._press(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.pointed.emit(self.to_document(event.position()))
        if self._dividing and self._divider:
            x = event.position().x()
            self._divide(self._divider.moved(x, self.viewport.picture_rect()))
        elif self._hand is not None:
            super().mouseMoveEvent(event)
        else:
            self._move(event)
            if self._divider and not self._pressed:
                self.show_cursor()
                if self._is_at_divider(event):
                    self.setCursor(Qt.CursorShape.SplitHCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._dividing:
            self._dividing = False
        elif self._pressed and event.button() == Qt.MouseButton.LeftButton:
            self._release(event)
        elif self._hand is not None:
            super().mouseReleaseEvent(event)

    def tabletEvent(self, event: QTabletEvent) -> None:
        """As the mouse does, with the pressure that the tool may ask for."""
        pen = event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton)
        if not self._tool or not pen or self._space or self._divider:
            event.ignore()  # Qt makes a mouse event of it
            return
        if event.type() == QEvent.Type.TabletPress:
            self._press(event)
        elif event.type() == QEvent.Type.TabletRelease:
            self._release(event)
        else:
            self.pointed.emit(self.to_document(event.position()))
            self._move(event)
        event.accept()

    def _press(self, event: QSinglePointEvent) -> None:
        if self._tool:
            self._pressed = True
            self._tool.press(event)

    def _move(self, event: QSinglePointEvent) -> None:
        if self._tool:
            self._tool.move(event) if self._pressed else self._tool.hover(event)

    def _release(self, event: QSinglePointEvent) -> None:
        if self._tool and self._pressed:
            self._pressed = False
            self._tool.release(event)

    def _is_at_divider(self, event: QMouseEvent) -> bool:
        x = event.position().x()
        return bool(self._divider and self._divider.is_at(x, self.viewport.picture_rect()))

    def _divide(self, divider: Divider) -> None:
        self._divider = divider
        self.compare_moved.emit(divider.place)
        self.update()

    def takes_hand(self, event: QMouseEvent) -> bool:
        left = event.button() == Qt.MouseButton.LeftButton
        return super().takes_hand(event) or (left and self._tool is None)

    def show_cursor(self) -> None:
        if self._tool and not self._space:
            self.setCursor(self._tool.cursor)
        else:
            super().show_cursor()

    def leaveEvent(self, event: QEvent) -> None:
        self.pointed.emit(None)
        self.update()
        super().leaveEvent(event)

    # ------------------------------------------------------------------ keyboard

    def event(self, event: QEvent) -> bool:
        """What a busy tool waits for is no shortcut of the window."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            waits = self._tool is not None and self._tool.is_busy
            ends = event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter)
            if waits and (ends or event.matches(QKeySequence.StandardKey.Undo)):
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() != Qt.Key.Key_Space and self._tool and self._tool.key(event):
            event.accept()
        elif event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        elif self._divider and event.key() in (Qt.Key.Key_Less, Qt.Key.Key_Greater):
            step = Divider.STEP if event.key() == Qt.Key.Key_Greater else -Divider.STEP
            self._divide(Divider(self._divider.place + step))
        else:
            super().keyPressEvent(event)
