"""The crop tool: a frame that becomes the document; beyond the picture it makes room for more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRect, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import QColor, QCursor, QKeyEvent, QPainter, QPainterPath, QSinglePointEvent

from engine.errors import EngineError
from studio.canvas.tools.frame import Handle, handle_at, handle_cursor, handle_places
from studio.canvas.tools.marks import DARK, HANDLE, paint_contrast, paint_handles, paint_label
from studio.canvas.tools.option import Option
from studio.canvas.tools.tool import APPLY, SHIFT, Tool, discards
from studio.theme import SPACING

if TYPE_CHECKING:
    from studio.canvas.tools.tool_box import ToolBox

SNAP = 6.0  # logical pixels within which the frame clings to the edges of the picture
MOST_STEPS = 12  # of zooming out, so that a frame is seen
SHADE = 130  # alpha of what is cut off, 0 to 255
PROPORTIONS = {
    "free": 0.0,
    "as the picture": -1.0,
    "1 : 1": 1.0,
    "4 : 3": 4 / 3,
    "3 : 2": 3 / 2,
    "16 : 9": 16 / 9,
    "3 : 4": 3 / 4,
    "2 : 3": 2 / 3,
    "9 : 16": 9 / 16,
}


class Crop(Tool):
    """Nothing is thrown away: what is cut off stays in the layers, and an undo shows it again."""

    id = "crop"
    title = "Crop"
    icon = "crop"
    shortcut = "C"
    help = "Drag a frame, also beyond the picture. Enter applies, Esc discards."

    proportions = Option(
        "free",
        label="Proportions",
        help="Width to height of the frame. Shift keeps those it has.",
        choices=tuple(PROPORTIONS),
    )

    frame_changed = Signal()

    def __init__(self, box: ToolBox) -> None:
        super().__init__(box)
        self._frame: QRectF | None = None  # in pixels of the document
        self._before: QRectF | None = None  # when the button went down
        self._handle: Handle | None = None
        self._draws = False
        self._from = QPointF()
        self._shape = Qt.CursorShape.CrossCursor
        self.option_changed.connect(self._reshape)

    @property
    def frame(self) -> QRect | None:
        """What the document would become; None while nothing is framed."""
        return None if self._frame is None else _whole(self._frame)

    def set_frame(self, frame: QRect | None) -> None:
        """Frame that part of the document, or nothing."""
        self._show(None if frame is None else QRectF(frame))

    def apply(self) -> None:
        """Let the frame be the document."""
        frame = self.frame
        self._show(None)
        if frame is None:
            return
        try:
            self.document.resize(frame, self.tr("Crop"))
        except EngineError as error:
            self.say(f"{error} {error.hint}")

    # ------------------------------------------------------------------ what the canvas asks

    @property
    def is_busy(self) -> bool:
        return self._frame is not None

    @property
    def cursor(self) -> QCursor:
        return QCursor(self._shape)

    def press(self, event: QSinglePointEvent) -> None:
        rect, self._from = self._rect(), self.place(event)
        self._handle = handle_at(self._places(rect), event.position())
        inside = rect.contains(self._from) and self._frame is not None
        self._draws = self._handle is None and not inside
        self._before = rect

    def move(self, event: QSinglePointEvent) -> None:
        before, to = self._before, self._snapped(self.place(event))
        if before is None:
            return
        ratio = self._ratio(before, bool(event.modifiers() & SHIFT))
        if self._draws:
            start = self._snapped(self._from)
            self._show(_drawn(start, to, ratio))
        elif self._handle:
            self._show(_pulled(before, self._handle, to, ratio))
        else:
            self._show(before.translated(self.place(event) - self._from))

    def release(self, event: QSinglePointEvent) -> None:
        self._before = None
        frame = self.frame
        if frame is not None and (frame.isEmpty() or frame == self.document.rect):
            self._show(None)
        elif frame is not None and not self.document.rect.contains(frame):
            self._make_room(QRectF(frame))

    def hover(self, event: QSinglePointEvent) -> None:
        places = self._places(self._rect())
        handle = handle_at(places, event.position())
        shape = Qt.CursorShape.CrossCursor
        if handle:
            shape = handle_cursor(places, handle)
        elif self._frame is not None and self._frame.contains(self.place(event)):
            shape = Qt.CursorShape.SizeAllCursor
        if shape is not self._shape:
            self._shape = shape
            self.view.show_cursor()

    def key(self, event: QKeyEvent) -> bool:
        if not self.is_busy or not (event.key() in APPLY or discards(event)):
            return False
        self.cancel() if discards(event) else self.apply()
        return True

    def cancel(self) -> None:
        self._before = None
        self._show(None)

    leave = cancel

    def overlay(self, painter: QPainter) -> None:
        rect = self._rect()
        seen = self.view.viewport.transform().mapRect(rect)
        if self._frame is not None:
            self._paint_shade(painter, seen)
        paint_contrast(painter, lambda: painter.drawRect(seen))
        if self._before is not None and self._frame is not None:
            _paint_thirds(painter, seen)
            self._paint_size(painter, seen)
        paint_handles(painter, self._places(rect).values())

    # ------------------------------------------------------------------ inside

    def _rect(self) -> QRectF:
        return QRectF(self.document.rect) if self._frame is None else self._frame

    def _show(self, frame: QRectF | None) -> None:
        self._frame = frame
        self.frame_changed.emit()
        self.view.update()

    def _places(self, rect: QRectF) -> dict[Handle, QPointF]:
        return handle_places(rect, self.view.viewport.transform())

    def _ratio(self, before: QRectF, keep: bool) -> float:
        """Width to height that must be kept; 0 for any."""
        ratio = PROPORTIONS[self.proportions]
        if keep and not self._draws:
            ratio = before.width() / max(before.height(), 1)
        return self.document.size.width() / self.document.size.height() if ratio < 0 else ratio

    def _make_room(self, frame: QRectF) -> None:
        """Zoom out until a frame beyond the picture is seen as a whole."""
        inside = QRectF(self.view.rect()).adjusted(HANDLE, HANDLE, -HANDLE, -HANDLE)
        for _ in range(MOST_STEPS):
            if inside.contains(self.view.viewport.transform().mapRect(frame)):
                break
            self.view.zoom_out()

    def _reshape(self, _: str) -> None:
        """Give the frame the proportions that were just chosen."""
        ratio = self._ratio(self._rect(), False) if self._frame else 0.0
        if self._frame is not None and ratio:
            size = QSizeF(ratio, 1).scaled(self._frame.size(), Qt.AspectRatioMode.KeepAspectRatio)
            frame = QRectF(QPointF(), size)
            frame.moveCenter(self._frame.center())
            self._show(frame)

    def _snapped(self, place: QPointF) -> QPointF:
        size, reach = self.document.size, SNAP / self.view.scale
        return QPointF(
            _cling(place.x(), size.width(), reach), _cling(place.y(), size.height(), reach)
        )

    def _paint_shade(self, painter: QPainter, seen: QRectF) -> None:
        outside = QPainterPath()
        outside.addRect(QRectF(self.view.rect()))
        outside.addRect(seen)
        shade = QColor(DARK)
        shade.setAlpha(SHADE)
        painter.fillPath(outside, shade)

    def _paint_size(self, painter: QPainter, seen: QRectF) -> None:
        """How large it is, in pixels, under the frame."""
        frame = _whole(self._rect())
        text = f"{frame.width()} × {frame.height()}"
        paint_label(painter, seen.bottomLeft() + QPointF(0, SPACING), text)


def _drawn(start: QPointF, to: QPointF, ratio: float) -> QRectF:
    way = to - start
    if ratio:
        width = max(abs(way.x()), abs(way.y()) * ratio)
        way = QPointF(
            width if way.x() >= 0 else -width, width / ratio * (1 if way.y() >= 0 else -1)
        )
    return QRectF(start, start + way).normalized()


def _pulled(before: QRectF, handle: Handle, to: QPointF, ratio: float) -> QRectF:
    """`before` with one handle at `to`; the opposite one stays."""
    x, y = handle
    anchor = QPointF(
        before.right() if x < 0 else before.left(), before.bottom() if y < 0 else before.top()
    )
    if x and y:
        return _drawn(anchor, to, ratio)
    rect = QRectF(before)
    if x:
        rect = QRectF(anchor, QPointF(to.x(), before.bottom())).normalized()
        height = rect.width() / ratio if ratio else before.height()
        rect.setTop(before.center().y() - height / 2)
        rect.setHeight(height)
    else:
        rect = QRectF(anchor, QPointF(before.right(), to.y())).normalized()
        width = rect.height() * ratio if ratio else before.width()
        rect.setLeft(before.center().x() - width / 2)
        rect.setWidth(width)
    return rect


def _cling(value: float, edge: float, reach: float) -> float:
    near = min((0.0, edge), key=lambda line: abs(line - value))
    return near if abs(near - value) <= reach else float(round(value))


def _whole(rect: QRectF) -> QRect:
    left, top = round(rect.left()), round(rect.top())
    return QRect(left, top, round(rect.right()) - left, round(rect.bottom()) - top)


def _paint_thirds(painter: QPainter, seen: QRectF) -> None:
    def draw() -> None:
        for part in (1 / 3, 2 / 3):
            x, y = seen.left() + part * seen.width(), seen.top() + part * seen.height()
            painter.drawLine(QPointF(x, seen.top()), QPointF(x, seen.bottom()))
            painter.drawLine(QPointF(seen.left(), y), QPointF(seen.right(), y))

    painter.save()
    painter.setOpacity(0.5)
    paint_contrast(painter, draw)
    painter.restore()
