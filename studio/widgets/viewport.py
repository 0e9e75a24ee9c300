"""The maths of a view onto a picture: zoom around a point, pan, fit, to the picture and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, QSizeF
from PySide6.QtGui import QTransform

from studio import theme

ZOOM_STEP = 1.25
SMALLEST, LARGEST = 0.02, 64.0  # device pixels for one pixel of the picture
CRISP_FROM = 4.0  # from this zoom on, pixels are shown as squares
PAN_STEP = 6 * theme.SPACING
MARGIN = 2 * theme.SPACING


class Viewport:
    """Follows the size of the view until the person zooms or pans; `fit` follows it again.

    Places in the view are logical pixels from its top left corner.
    """

    def __init__(self) -> None:
        self.zoom = 1.0  # device pixels for one pixel of the picture
        self.follows = True
        self._center = QPointF()  # the point of the picture in the middle of the view
        self._view = QSizeF()
        self._ratio = 1.0
        self._covered = 0
        self._picture = QSize()
        self._beyond = QRectF()

    def set_view(self, size: QSize, ratio: float) -> None:
        """The view has `size` logical pixels, each `ratio` device pixels wide."""
        self._view, self._ratio = QSizeF(size), ratio
        if self.follows:
            self.fit()

    def cover(self, height: int) -> None:
        """The lowest `height` logical pixels of the view are hidden: what fits, fits above them."""
        self._covered = height
        if self.follows:
            self.fit()

    def set_picture(self, size: QSize) -> None:
        same_size = size == self._picture
        self._picture = size
        if self.follows or not same_size:
            self.fit()

    def reach(self, rect: QRectF) -> None:
        """What fits includes `rect`, in pixels of the picture; an empty one: the picture alone."""
        changed = rect != self._beyond
        self._beyond = rect
        if self.follows and changed:
            self.fit()

    @property
    def scale(self) -> float:
        """Logical pixels for one pixel of the picture."""
        return self.zoom / self._ratio

    # ------------------------------------------------------------------ zoom and pan

    def fit(self) -> None:
        """As large as the view allows."""
        self.follows = True
        whole = QRectF(self.rect()) | self._beyond
        self._center = whole.center()
        if whole.isEmpty():
            return
        width = max(self._view.width() - 2 * MARGIN, 1) * self._ratio / whole.width()
        free = self._view.height() - self._covered
        height = max(free - 2 * MARGIN, 1) * self._ratio / whole.height()
        self._set_zoom(min(width, height))

    def actual_size(self) -> None:
        """One pixel of the picture on one pixel of the screen."""
        self.follows = False
        self._set_zoom(1.0)

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        """Zoom so that the point of the picture at `at` stays where it is."""
        anchor = self._middle() if at is None else at
        before = self.to_picture(anchor)
        self.follows = False
        self._set_zoom(self.zoom * factor)
        self._center += before - self.to_picture(anchor)

    def pan(self, by: QPointF) -> None:
        """Move the picture by so many logical pixels; its middle never leaves the view."""
        self.follows = False
        center = self._center - by / self.scale
        self._center = QPointF(
            min(max(center.x(), 0), self._picture.width()),
            min(max(center.y(), 0), self._picture.height()),
        )

    def place(self) -> dict[str, float]:
        """Where one looks, for `go_to`; empty while the picture follows the size of the view."""
        if self.follows:
            return {}
        return {"zoom": self.zoom, "x": self._center.x(), "y": self._center.y()}

    def go_to(self, place: Mapping[str, Any]) -> None:
        """Look there again; what is no place fits the picture into the view."""
        zoom, x, y = (place.get(name) for name in ("zoom", "x", "y"))
        if not all(isinstance(number, (int, float)) for number in (zoom, x, y)):
            self.fit()
            return
        self.actual_size()
        self._set_zoom(float(zoom))  # type: ignore[arg-type]
        self._center = QPointF()
        self.pan(QPointF(-float(x), -float(y)) * self.scale)  # type: ignore[arg-type]

    def _set_zoom(self, zoom: float) -> None:
        self.zoom = min(max(zoom, SMALLEST), LARGEST)

    # ------------------------------------------------------------------ there and back

    def to_picture(self, place: QPointF) -> QPointF:
        return self._center + (place - self._middle()) / self.scale

    def to_view(self, point: QPointF) -> QPointF:
        return self._middle() + (point - self._center) * self.scale

    def rect(self) -> QRect:
        """The picture, in its own pixels."""
        return QRect(QPoint(), self._picture)

    def picture_rect(self) -> QRectF:
        """Where the picture is."""
        return self.transform().mapRect(QRectF(self.rect()))

    def transform(self) -> QTransform:
        """From the picture to the view, with pixels of the picture on whole pixels of the screen
        where they are as large."""
        corner = self.to_view(QPointF())
        left, top = round(corner.x() * self._ratio), round(corner.y() * self._ratio)
        move = QTransform.fromTranslate(left / self._ratio, top / self._ratio)
        return QTransform.fromScale(self.scale, self.scale) * move

    def _middle(self) -> QPointF:
        return QPointF(self._view.width() / 2, (self._view.height() - self._covered) / 2)
