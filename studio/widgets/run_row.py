"""How a run looks in the list: state, what it is, how far, and whether its curves are compared."""

from __future__ import annotations

from PySide6.QtCore import (
    QCoreApplication,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFontMetrics, QHelpEvent, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolTip,
)

from studio import theme
from studio.widgets.transport import DOTS

RUN, CAPTION, SEARCHED, COLOR = (Qt.ItemDataRole.UserRole + i for i in range(4))
BUTTON, SIGN = 28, 16  # pixels: the place that takes a click, and the picture in it

Index = QModelIndex | QPersistentModelIndex


class RunRows(QListView):
    """A click on the sign at the end of a row, or Space, asks to compare that run."""

    compare_toggled = Signal(QModelIndex)

    def __init__(self) -> None:
        super().__init__()
        self.setMouseTracking(True)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._sign_at(event) is None:  # else the run would be chosen, too
            super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        index = self._sign_at(event)
        if index is None:
            super().mouseReleaseEvent(event)
        elif event.button() == Qt.MouseButton.LeftButton:
            self.compare_toggled.emit(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space keeps the curves of the run that is shown, for the next one that is chosen."""
        if event.key() == Qt.Key.Key_Space and self.currentIndex().isValid():
            self.compare_toggled.emit(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def _sign_at(self, event: QMouseEvent) -> QModelIndex | None:
        point = event.position().toPoint()
        index = self.indexAt(point)
        if index.isValid() and sign_place(self.visualRect(index)).contains(point):
            return index
        return None


class RunRow(QStyledItemDelegate):
    """Two lines: the dot of the state with the title, and the caption; the sign at the end."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, 2 * QFontMetrics(option.font).lineSpacing() + 2 * theme.SPACING)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        chosen = theme.colors()
        word, caption = index.data(CAPTION)
        rect = option.rect
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if selected or hovered:
            painter.setBrush(chosen.selection if selected else chosen.hover)
            painter.drawRoundedRect(rect, 6, 6)
        line = QFontMetrics(option.font).lineSpacing()
        top = rect.top() + theme.SPACING
        painter.setBrush(getattr(chosen, DOTS.get(word, "muted")))
        painter.drawEllipse(QPointF(rect.left() + 14, top + line / 2), 4, 4)
        words = QRect(rect.left() + 28, top, rect.width() - 36 - BUTTON, line)
        painter.setPen(chosen.text)
        _draw(painter, words, str(index.data(Qt.ItemDataRole.DisplayRole)))
        painter.setPen(chosen.muted)
        _draw(painter, words.translated(0, line), caption)
        _draw_sign(painter, rect, index.data(COLOR), hovered or selected)
        painter.restore()

    def helpEvent(
        self,
        event: QHelpEvent,
        view: QAbstractItemView,
        option: QStyleOptionViewItem,
        index: Index,
    ) -> bool:
        if not index.isValid() or not sign_place(option.rect).contains(event.pos()):
            return super().helpEvent(event, view, option, index)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        QToolTip.showText(event.globalPos(), _tip(bool(index.data(COLOR)), selected), view)
        return True


def _tip(compared: bool, selected: bool) -> str:
    def tr(text: str) -> str:
        return QCoreApplication.translate("RunRow", text)

    if compared:
        return tr("Compared: click to take the curves of this run away (Space)")
    if selected:
        return tr("Compare: keep these curves beside those of the next run you choose (Space)")
    return tr("Compare: draw the curves of this run beside those of the one that is shown")


def sign_place(row: QRect) -> QRect:
    return QRect(
        row.right() - BUTTON - theme.SPACING // 2, row.center().y() - BUTTON // 2, BUTTON, BUTTON
    )


def _draw_sign(painter: QPainter, row: QRect, color: str | None, hovered: bool) -> None:
    """In the colour of the curves while the run is compared, else faint."""
    chosen = theme.colors()
    place = sign_place(row)
    if color:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(chosen.selection)
        painter.drawRoundedRect(place, 6, 6)
    paint = getattr(chosen, color) if color else (chosen.muted if hovered else chosen.disabled)
    ratio = painter.device().devicePixelRatio()
    sign = theme.icon_pixmap("chart-line", paint, QSize(SIGN, SIGN), ratio)
    painter.drawPixmap(place.center() - QRect(0, 0, SIGN, SIGN).center(), sign)


def _draw(painter: QPainter, rect: QRect, text: str) -> None:
    metrics = painter.fontMetrics()
    elided = metrics.elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
    painter.drawText(rect, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, elided)
