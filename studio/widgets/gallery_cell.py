"""Paints one picture of the gallery's grid: its ring when chosen, its star, or what is wrong."""

from __future__ import annotations

from PySide6.QtCore import (
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from studio import theme
from studio.thumbnail_loader import ROUND, Cell
from studio.widgets.gallery_model import PictureModel

GAP = theme.SPACING
STAR = QSize(16, 16)
SIGN = QSize(24, 24)

# As plain numbers: Python's enums take longer than painting does.
SELECTED = QStyle.StateFlag.State_Selected.value
HOVERED = QStyle.StateFlag.State_MouseOver.value
FOCUSED = QStyle.StateFlag.State_HasFocus.value


class CellDelegate(QStyledItemDelegate):
    """Draws images that are ready; everything slow has been done elsewhere."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.colors = theme.colors()
        """Of the theme; the grid looks them up once for all cells."""

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return option.rect.size()

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        model = index.model()
        assert isinstance(model, PictureModel)
        cell = model.cell(index.row())
        area: QRect = option.rect
        state: int = option.state.value
        side = area.height() - GAP
        if cell is not None and cell.image is not None:
            frame = _frame(area, cell, side)
            painter.drawImage(frame, cell.image)
        else:
            frame = QRectF(0, 0, side, side)
            frame.moveCenter(QRectF(area).center())
            _paint_empty(painter, frame, cell, self.colors)
        if cell is not None and cell.picture.mark.star:
            _paint_star(painter, frame, self.colors)
        _paint_ring(painter, frame, state, self.colors)


def _frame(area: QRect, cell: Cell, side: int) -> QRectF:
    """In the middle of its cell, in the size it will have when it has been made for this one."""
    assert cell.image is not None
    size = cell.image.deviceIndependentSize()
    if cell.look.side != round(side * cell.look.ratio):
        size *= side / max(size.width(), size.height())
    # On whole pixels, so that it is copied and not scaled.
    left = area.x() + (area.width() - round(size.width())) // 2
    top = area.y() + (area.height() - round(size.height())) // 2
    return QRectF(left, top, size.width(), size.height())


def _paint_empty(painter: QPainter, frame: QRectF, cell: Cell | None, colors: theme.Colors) -> None:
    """A place that is being filled, or cannot be; why is in the tooltip and the details."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colors.hover if cell is None else colors.danger_tint)
    painter.drawRoundedRect(frame, ROUND, ROUND)
    if cell is None:
        return
    ratio = painter.device().devicePixelRatioF()
    sign = theme.icon_pixmap("triangle-alert", colors.danger, SIGN, ratio)
    words = frame.adjusted(GAP, 0, -GAP, -GAP)
    painter.drawPixmap(frame.center() - QPointF(SIGN.width() / 2, SIGN.height()), sign)
    words.setTop(frame.center().y() + GAP / 2)
    painter.setPen(colors.danger)
    name = painter.fontMetrics().elidedText(
        cell.picture.path.name, Qt.TextElideMode.ElideMiddle, round(words.width())
    )
    painter.drawText(words, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, name)


def _paint_star(painter: QPainter, frame: QRectF, colors: theme.Colors) -> None:
    """On a disc of its own, to be seen on any picture."""
    disc = QRectF(0, 0, STAR.width() + GAP, STAR.height() + GAP)
    disc.moveTopRight(frame.topRight() + QPointF(-GAP / 2, GAP / 2))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colors.surface)
    painter.drawEllipse(disc)
    ratio = painter.device().devicePixelRatioF()
    star = theme.icon_pixmap("star-filled", colors.warning, STAR, ratio)
    painter.drawPixmap(disc.topLeft() + QPointF(GAP / 2, GAP / 2), star)


def _paint_ring(painter: QPainter, frame: QRectF, state: int, colors: theme.Colors) -> None:
    if not state & (SELECTED | HOVERED | FOCUSED):
        return
    width = 3.0 if state & SELECTED else 1.5
    color = colors.accent_text if state & (SELECTED | FOCUSED) else colors.muted
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(color, width))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    out = width / 2
    painter.drawRoundedRect(frame.adjusted(-out, -out, out, out), ROUND + out, ROUND + out)
