"""Rectangle, ellipse and lasso: draw around what is to be selected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPainterPath, QPolygonF, QSinglePointEvent

from studio.canvas.selection import Selection
from studio.canvas.tools.marks import paint_contrast
from studio.canvas.tools.option import Option
from studio.canvas.tools.tool import ALT, SHIFT, Tool, discards

if TYPE_CHECKING:
    from studio.canvas.tools.tool_box import ToolBox

MODES = ("replace", "add", "subtract", "intersect")
CLICK = 3.0  # logical pixels: a way shorter than this was a click
LASSO_STEP = 1.5  # logical pixels between two corners of a lasso


class SelectTool(Tool):
    """Shift adds, Alt subtracts, both intersect; a mere click selects nothing."""

    mode = Option(
        "replace",
        label="Mode",
        help="What becomes of the selection there is. Shift adds, Alt subtracts, both intersect.",
        choices=MODES,
    )
    feather = Option(
        0,
        label="Feather",
        help="How many pixels the edge fades over; what is made there blends with the picture.",
        maximum=200,
        unit="px",
    )

    def __init__(self, box: ToolBox) -> None:
        super().__init__(box)
        self._way: list[QPointF] = []  # in pixels of the document
        self._mode = ""

    def path(self) -> QPainterPath:
        """Around what has been drawn so far, in pixels of the document."""
        raise NotImplementedError

    @property
    def is_busy(self) -> bool:
        return bool(self._way)

    def press(self, event: QSinglePointEvent) -> None:
        self._way = [self.place(event)]
        self._mode = self._mode_of(event)

    def move(self, event: QSinglePointEvent) -> None:
        if self._way:
            self._extend(event)
            self.view.update()

    def release(self, event: QSinglePointEvent) -> None:
        if not self._way:
            return
        self._extend(event)
        drawn, way = self.path(), self._way
        self._way = []
        self.view.update()
        length = max(QPointF(p - way[0]).manhattanLength() for p in way) * self.view.scale
        if length >= CLICK:
            self._select(Selection.from_path(drawn).feathered(self.feather))
        elif self._mode == "replace":
            self._select(Selection())

    def key(self, event: QKeyEvent) -> bool:
        if self.is_busy and discards(event):
            self.cancel()
            return True
        return False

    def cancel(self) -> None:
        self._way = []
        self.view.update()

    leave = cancel

    def overlay(self, painter: QPainter) -> None:
        if len(self._way) > 1:
            path = self.view.viewport.transform().map(self.path())
            paint_contrast(painter, lambda: painter.drawPath(path), dashed=True)

    def _extend(self, event: QSinglePointEvent) -> None:
        self._way[1:] = [self.place(event)]

    def _select(self, drawn: Selection) -> None:
        before = self.document.selection
        made = {
            "replace": lambda: drawn,
            "add": lambda: before.union(drawn),
            "subtract": lambda: before.subtract(drawn),
            "intersect": lambda: before.intersect(drawn),
        }[self._mode]()
        self.document.set_selection(made, self.tr(self.title))

    def _mode_of(self, event: QSinglePointEvent) -> str:
        adds, subtracts = bool(event.modifiers() & SHIFT), bool(event.modifiers() & ALT)
        if adds and subtracts:
            return "intersect"
        return "add" if adds else "subtract" if subtracts else self.mode


class _BoxTool(SelectTool):
    """From corner to corner; pressing Shift while dragging keeps both sides equal."""

    _adding = False  # the Shift that began the drag, for adding, is still held

    def press(self, event: QSinglePointEvent) -> None:
        super().press(event)
        self._adding = bool(event.modifiers() & SHIFT)

    def rect(self) -> QRectF:
        return QRectF(self._way[0], self._way[-1]).normalized()

    def _extend(self, event: QSinglePointEvent) -> None:
        end, shift = self.place(event), bool(event.modifiers() & SHIFT)
        self._adding = self._adding and shift
        if shift and not self._adding:
            end = _square(self._way[0], end)
        self._way[1:] = [end]


class RectangleSelect(_BoxTool):
    id = "rectangle"
    title = "Rectangle"
    icon = "square-dashed"
    shortcut = "R"
    help = "Select a rectangle. Shift adds, Alt subtracts; Shift while dragging makes a square."

    def path(self) -> QPainterPath:
        path = QPainterPath()
        rect = self.rect()
        path.addRect(QRectF(_whole(rect.topLeft()), _whole(rect.bottomRight())))
        return path


class EllipseSelect(_BoxTool):
    id = "ellipse"
    title = "Ellipse"
    icon = "circle-dashed"
    shortcut = "O"
    help = "Select an ellipse. Shift adds, Alt subtracts; Shift while dragging makes a circle."

    def path(self) -> QPainterPath:
        path = QPainterPath()
        path.addEllipse(self.rect())
        return path


class LassoSelect(SelectTool):
    id = "lasso"
    title = "Lasso"
    icon = "lasso"
    shortcut = "L"
    help = "Draw around what to select. Shift adds, Alt subtracts."

    def path(self) -> QPainterPath:
        path = QPainterPath()
        path.addPolygon(QPolygonF(self._way))
        path.closeSubpath()
        path.setFillRule(Qt.FillRule.WindingFill)
        return path

    def _extend(self, event: QSinglePointEvent) -> None:
        place = self.place(event)
        if QPointF(place - self._way[-1]).manhattanLength() * self.view.scale >= LASSO_STEP:
            self._way.append(place)


def _whole(place: QPointF) -> QPointF:
    return QPointF(round(place.x()), round(place.y()))


def _square(start: QPointF, end: QPointF) -> QPointF:
    """`end` moved so that both sides are as long as the longer one."""
    way = end - start
    side = max(abs(way.x()), abs(way.y()))
    return start + QPointF(side if way.x() >= 0 else -side, side if way.y() >= 0 else -side)
