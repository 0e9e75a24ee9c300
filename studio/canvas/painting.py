"""What a view of a document shows, from the back to the front."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QPainter

from studio import theme
from studio.canvas.ants import paint_ants
from studio.canvas.document import Document
from studio.canvas.staged import Divider, Staged
from studio.widgets.checkerboard import paint_checkerboard
from studio.widgets.viewport import CRISP_FROM, Viewport

AT_ONCE = 96
"""Tiles laid over each other for one frame; after a change of everything the rest comes later."""


@dataclass(frozen=True)
class Shown:
    """Everything but the tool's overlay."""

    document: Document
    viewport: Viewport
    staged: Staged | None
    divider: Divider | None
    step: int
    """Of the marching ants."""

    def paint(self, painter: QPainter, area: QRect) -> QRect:
        """Paint what is in `area`; the painter is in logical pixels of the view.

        What is not ready yet, in document pixels, has to be painted again.
        """
        colors, viewport = theme.colors(), self.viewport
        place = viewport.picture_rect()
        if not place.contains(QRectF(area)):
            painter.fillRect(area, colors.canvas)
        paint_checkerboard(painter, place & QRectF(area))
        smooth = viewport.zoom < CRISP_FROM and viewport.zoom != 1.0
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.save()
        painter.setTransform(viewport.transform(), combine=True)
        inverse, _ = viewport.transform().inverted()
        late = self._paint_pictures(painter, inverse.mapRect(QRectF(area)))
        painter.restore()
        painter.setPen(colors.border)
        painter.drawRect(place.adjusted(-0.5, -0.5, 0.5, 0.5))
        self._paint_staging(painter, place)
        selection = self.document.selection
        if not selection.is_empty:
            paint_ants(painter, selection.outline(), viewport.transform(), self.step)
        return late

    def _paint_pictures(self, painter: QPainter, area: QRectF) -> QRect:
        """In pixels of the document."""
        staged, late = self.staged, QRect()
        if not (staged and staged.alone):
            late = self.document.draw(painter, area.toAlignedRect(), AT_ONCE)
        elif self.divider:
            self._paint_before(painter, staged.rect)
        if staged is not None:
            self._paint_staged(painter, area, staged)
        return late

    def _paint_before(self, painter: QPainter, rect: QRect) -> None:
        """The document as large as what came of it, to be compared with."""
        size = self.document.size
        painter.save()
        painter.scale(rect.width() / size.width(), rect.height() / size.height())
        self.document.draw(painter, self.document.rect)
        painter.restore()

    def _paint_staged(self, painter: QPainter, area: QRectF, staged: Staged) -> None:
        if self.divider:
            after = QRectF(staged.rect | self.viewport.rect())
            after.setLeft(self.divider.place * self.viewport.rect().width())
            painter.setClipRect(after, Qt.ClipOperation.IntersectClip)
        staged.draw(painter, area)

    def _paint_staging(self, painter: QPainter, place: QRectF) -> None:
        if self.staged is None:
            return
        colors = theme.colors()
        frame = self.viewport.transform().mapRect(QRectF(self.staged.rect))
        painter.setPen(colors.accent_text)
        painter.drawRect(frame.adjusted(-0.5, -0.5, 0.5, 0.5))
        if self.divider:
            self.divider.draw(painter, place, colors.accent, colors.on_accent)
