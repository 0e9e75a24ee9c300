"""The transform tool: scales and turns the active layer, or what is selected of it, by handles."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QCursor, QKeyEvent, QPainter, QSinglePointEvent, QTransform

from engine.gate.images import MAXIMUM_PIXELS
from studio.canvas.tools.floating import Floating, liftable
from studio.canvas.tools.frame import Handle, handle_at, handle_cursor, handle_places
from studio.canvas.tools.marks import paint_contrast, paint_handles
from studio.canvas.tools.option import Option
from studio.canvas.tools.tool import ALT, APPLY, SHIFT, Tool, discards

if TYPE_CHECKING:
    from studio.canvas.tools.tool_box import ToolBox

TURN_STEP = math.pi / 12  # with Shift
LEAST = 1.0  # pixels: a side is never made shorter


@dataclass(frozen=True)
class Pose:
    """Where a rectangle is held: its middle in pixels of the document, its scales, its turn."""

    rect: QRectF
    center: QPointF
    scale_x: float = 1.0
    scale_y: float = 1.0
    angle: float = 0.0  # radians, clockwise

    def matrix(self) -> QTransform:
        middle = self.rect.center()
        transform = QTransform.fromTranslate(self.center.x(), self.center.y())
        transform.rotateRadians(self.angle)
        transform.scale(self.scale_x, self.scale_y)
        return transform.translate(-middle.x(), -middle.y())

    def area(self) -> float:
        """Pixels of the upright rectangle around it."""
        around = self.matrix().mapRect(self.rect)
        return around.width() * around.height()

    def moved(self, way: QPointF) -> Pose:
        return replace(self, center=self.center + way)

    def turned(self, start: QPointF, end: QPointF, *, steps: bool) -> Pose:
        """As the hand goes around the middle from `start` to `end`."""
        before, after = start - self.center, end - self.center
        turn = math.atan2(after.y(), after.x()) - math.atan2(before.y(), before.x())
        angle = self.angle + turn
        return replace(self, angle=round(angle / TURN_STEP) * TURN_STEP if steps else angle)

    def scaled(self, handle: Handle, to: QPointF, *, keep: bool, centered: bool) -> Pose:
        """With `handle` at `to`; the opposite one stays, or the middle if `centered`."""
        x, y = handle
        half = QPointF(self.rect.width() * self.scale_x / 2, self.rect.height() * self.scale_y / 2)
        anchor = QPointF() if centered else QPointF(-x * half.x(), -y * half.y())
        local = _rotated(to - self.center, -self.angle) - anchor
        parts = 1 if centered else 2
        factor_x = _factor(local.x() * x, half.x() * parts) if x else 1.0
        factor_y = _factor(local.y() * y, half.y() * parts) if y else 1.0
        if keep:
            size = max(abs(factor_x) if x else 0, abs(factor_y) if y else 0)
            factor_x = math.copysign(size, factor_x)
            factor_y = math.copysign(size, factor_y)
        middle = QPointF(anchor.x() * (1 - factor_x), anchor.y() * (1 - factor_y))
        return replace(
            self,
            center=self.center + _rotated(middle, self.angle),
            scale_x=self.scale_x * factor_x,
            scale_y=self.scale_y * factor_y,
        )


class Transform(Tool):
    """What is changed stays in the hand until Enter applies it or Escape gives it back."""

    id = "transform"
    title = "Transform"
    icon = "vector-square"
    shortcut = "T"
    help = "Drag handles to scale, outside to turn, inside to move. Enter applies, Esc discards."

    keep = Option(
        False,
        label="Keep proportions",
        help="Width and height grow alike. Shift does so too, or the other way round.",
    )
    smooth = Option(
        True, label="Smooth", help="Mix pixels when resizing; without it they stay squares."
    )

    def __init__(self, box: ToolBox) -> None:
        super().__init__(box)
        self._floating: Floating | None = None
        self._pose: Pose | None = None  # while pixels are held
        self._before: Pose | None = None  # when the button went down
        self._handle: Handle | None = None
        self._turns = False
        self._from = QPointF()
        self._shape = Qt.CursorShape.ArrowCursor

    @property
    def is_busy(self) -> bool:
        return self._floating is not None

    @property
    def cursor(self) -> QCursor:
        return QCursor(self._shape)

    # ------------------------------------------------------------------ dragging

    def press(self, event: QSinglePointEvent) -> None:
        pose = self._pose_now()
        if pose is None or not self._take_hold(pose):
            return
        places = self._places(pose)
        self._handle = handle_at(places, event.position())
        inside = pose.rect.contains(_inverse(pose.matrix()).map(self.place(event)))
        self._turns = self._handle is None and not inside
        self._before, self._from = pose, self.place(event)

    def move(self, event: QSinglePointEvent) -> None:
        before, to = self._before, self.place(event)
        if before is None or self._floating is None:
            return
        shift, alt = bool(event.modifiers() & SHIFT), bool(event.modifiers() & ALT)
        if self._handle:
            keep = self.keep != shift
            pose = before.scaled(self._handle, to, keep=keep, centered=alt)
        elif self._turns:
            pose = before.turned(self._from, to, steps=shift)
        else:
            pose = before.moved(_whole(to - self._from))
        self._hold(pose)

    def release(self, event: QSinglePointEvent) -> None:
        self._before = None

    def hover(self, event: QSinglePointEvent) -> None:
        pose = self._pose_now()
        shape = Qt.CursorShape.ArrowCursor
        if pose is not None:
            places = self._places(pose)
            handle = handle_at(places, event.position())
            if handle:
                shape = handle_cursor(places, handle)
            elif pose.rect.contains(_inverse(pose.matrix()).map(self.place(event))):
                shape = Qt.CursorShape.SizeAllCursor
            else:
                shape = Qt.CursorShape.PointingHandCursor
        if shape is not self._shape:
            self._shape = shape
            self.view.show_cursor()

    def key(self, event: QKeyEvent) -> bool:
        if not self.is_busy:
            return False
        if event.key() in APPLY:
            self.leave()
        elif discards(event):
            self.cancel()
        else:
            return False
        return True

    def leave(self) -> None:
        floating, self._floating, self._pose = self._floating, None, None
        if floating is not None:
            floating.put_down()
        self.view.update()

    def cancel(self) -> None:
        floating, self._floating, self._pose = self._floating, None, None
        if floating is not None:
            floating.give_back()
        self.view.update()

    # ------------------------------------------------------------------ looks

    def overlay(self, painter: QPainter) -> None:
        pose = self._pose_now()
        if pose is None:
            return
        transform = pose.matrix() * self.view.viewport.transform()
        frame = transform.map(pose.rect)
        paint_contrast(painter, lambda: painter.drawPolygon(frame))
        paint_handles(painter, self._places(pose).values())

    # ------------------------------------------------------------------ inside

    def _pose_now(self) -> Pose | None:
        """How the pixels are held, or would be; None where there are none."""
        if self._floating is not None and not self._floating.is_open:
            self._floating = self._pose = None  # undone, or ended by another deed
        if self._pose is not None:
            return self._pose
        layer = self.document.active
        rect = QRectF(liftable(self.document, layer)) if layer else QRectF()
        return None if rect.isEmpty() else Pose(rect, rect.center())

    def _take_hold(self, pose: Pose) -> bool:
        if self._floating is None:
            layer = self.layer_to_change()
            if layer is None:
                return False
            self._floating = Floating(self.document, layer, self.tr("Transform"))
            self._pose = pose
        return True

    def _hold(self, pose: Pose) -> None:
        if pose.area() > max(MAXIMUM_PIXELS, 2 * pose.rect.width() * pose.rect.height()):
            return  # pixels by the gigabyte; a turn alone makes at most twice as many
        self._pose = pose
        if self._floating is not None:
            self._floating.show(pose.matrix(), smooth=self.smooth)
        self.view.update()

    def _places(self, pose: Pose) -> dict[Handle, QPointF]:
        return handle_places(pose.rect, pose.matrix() * self.view.viewport.transform())


def _rotated(way: QPointF, angle: float) -> QPointF:
    cos, sin = math.cos(angle), math.sin(angle)
    return QPointF(way.x() * cos - way.y() * sin, way.x() * sin + way.y() * cos)


def _factor(new: float, old: float) -> float:
    """How much longer a side gets; it may turn over, but never vanish."""
    if abs(new) < LEAST:
        new = math.copysign(LEAST, new)
    return new / old if old else 1.0


def _inverse(transform: QTransform) -> QTransform:
    return transform.inverted()[0]


def _whole(way: QPointF) -> QPointF:
    return QPointF(round(way.x()), round(way.y()))
