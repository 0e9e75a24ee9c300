"""What is to become of a picture that is being dragged over the canvas: a choice of places."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QWidget

from studio import theme
from studio.theme import SPACING
from studio.widgets.picture_view import dropped_file

ROUND = SPACING


class DropZones(QWidget):
    """Lies over its parent while something is dragged; `chosen` carries the zone and the Path."""

    chosen = Signal(str, object)

    def __init__(self, zones: dict[str, tuple[str, str]], parent: QWidget) -> None:
        """`zones`: a title and what happens there, by name, the usual one first."""
        super().__init__(parent)
        self._over = parent
        self._zones = zones
        self._under = ""
        self.setAcceptDrops(True)
        self.hide()

    def offer(self) -> None:
        self.setGeometry(self._over.rect())
        self._under = ""
        self.raise_()
        self.show()

    def zone_at(self, place: QPoint) -> str:
        """The zone there; the usual one beside all of them."""
        for name, area in self.areas().items():
            if area.contains(place):
                return name
        return next(iter(self._zones))

    def areas(self) -> dict[str, QRect]:
        """Where each zone is."""
        margin = 2 * SPACING
        inner = self.rect().adjusted(margin, margin, -margin, -margin)
        width = (inner.width() - margin * (len(self._zones) - 1)) // len(self._zones)
        return {
            name: QRect(inner.left() + place * (width + margin), inner.top(), width, inner.height())
            for place, name in enumerate(self._zones)
        }

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        self._under = self.zone_at(event.position().toPoint())
        event.acceptProposedAction()
        self.update()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        self.hide()
        path = dropped_file(event.mimeData())
        if path:
            event.acceptProposedAction()
            self.chosen.emit(self.zone_at(event.position().toPoint()), path)

    def paintEvent(self, event: QPaintEvent) -> None:
        colors = theme.colors()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        veil = QColor(colors.background)  # a copy: the theme keeps its own
        veil.setAlphaF(0.85)
        painter.fillRect(self.rect(), veil)
        for name, area in self.areas().items():
            under = name == self._under
            painter.setPen(QPen(colors.accent_text if under else colors.border, 2))
            painter.setBrush(colors.selection if under else colors.surface)
            painter.drawRoundedRect(area, ROUND, ROUND)
            self._write(painter, area, *self._zones[name])

    def _write(self, painter: QPainter, area: QRect, title: str, text: str) -> None:
        colors, line = theme.colors(), self.fontMetrics().lineSpacing()
        middle = area.center().y()
        font = self.font()
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(colors.text)
        above = QRect(area.left(), middle - line, area.width(), line)
        painter.drawText(above, Qt.AlignmentFlag.AlignCenter, title)
        painter.setFont(self.font())
        painter.setPen(colors.muted)
        inner = area.adjusted(SPACING, 0, -SPACING, 0)
        below = QRect(inner.left(), middle + SPACING // 2, inner.width(), 3 * line)
        flags = Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(below, flags, text)
