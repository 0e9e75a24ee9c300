"""How one layer looks in the list: eye, thumbnail, name with what is special about it, lock."""

from __future__ import annotations

from typing import cast

from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QHelpEvent, QMouseEvent, QPainter, QPainterPath, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLineEdit,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolTip,
    QWidget,
)

from studio import theme
from studio.canvas.layer import BlendMode, Layer, LayerKind
from studio.theme import SPACING
from studio.widgets.checkerboard import paint_checkerboard

THUMBNAIL = 5 * SPACING
ICON = 2 * SPACING
BUTTON = 3 * SPACING
GAP = SPACING // 2
HIDDEN = 0.35  # opacity of what belongs to a hidden layer

Index = QModelIndex | QPersistentModelIndex


class LayerRow(QStyledItemDelegate):
    """A press on the eye or the lock is a deed of its own; everything else chooses the layer."""

    turned = Signal(object, str)  # the Layer, and which of its switches: visible or locked

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        lines = option.fontMetrics.lineSpacing() * 2
        return QSize(20 * SPACING, max(THUMBNAIL, lines) + 2 * GAP)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        layer, rect, colors = _layer(index), _rect(option), theme.colors()
        state: QStyle.StateFlag = option.state
        hovered = bool(state & QStyle.StateFlag.State_MouseOver)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if state & QStyle.StateFlag.State_Selected:
            _fill(painter, rect, colors.selection)
        elif hovered:
            _fill(painter, rect, colors.hover)
        eye = "eye" if layer.visible else "eye-off"
        theme.icon(eye, "text" if layer.visible else "muted").paint(painter, _icon(eye_rect(rect)))
        if layer.locked or hovered:
            lock = "lock" if layer.locked else "lock-open"
            shade = "text" if layer.locked else "muted"
            theme.icon(lock, shade).paint(painter, _icon(lock_rect(rect)))
        painter.setOpacity(1.0 if layer.visible else HIDDEN)
        _paint_thumbnail(painter, rect, index)
        painter.setOpacity(1.0)
        self._paint_words(painter, option, layer)
        painter.restore()

    def _paint_words(self, painter: QPainter, option: QStyleOptionViewItem, layer: Layer) -> None:
        colors, rect = theme.colors(), name_rect(_rect(option))
        metrics = painter.fontMetrics()
        words = self.words(layer)
        painter.setPen(colors.text if layer.visible else colors.muted)
        name = metrics.elidedText(layer.name, Qt.TextElideMode.ElideRight, rect.width())
        left = Qt.AlignmentFlag.AlignLeft
        if not words:
            painter.drawText(rect, left | Qt.AlignmentFlag.AlignVCenter, name)
            return
        half = rect.height() // 2
        upper, lower = rect.adjusted(0, 0, 0, -half), rect.adjusted(0, half, 0, 0)
        painter.drawText(upper, left | Qt.AlignmentFlag.AlignBottom, name)
        font = painter.font()
        font.setPointSizeF(font.pointSizeF() * theme.CAPTION)
        painter.setFont(font)
        painter.setPen(colors.muted)
        words = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(lower, left | Qt.AlignmentFlag.AlignTop, words)

    def words(self, layer: Layer) -> str:
        """What is special about a layer; nothing for an ordinary one."""
        said = []
        if layer.kind is LayerKind.MASK:
            said.append(self.tr("Mask"))
        elif layer.kind is LayerKind.GENERATED:
            said.append(self.tr("Generated"))
        if layer.blend_mode is not BlendMode.NORMAL:
            said.append(mode_name(layer.blend_mode))
        if layer.opacity < 1:
            said.append(f"{round(layer.opacity * 100)} %")
        return " · ".join(said)

    # ------------------------------------------------------------------ deeds

    def editorEvent(
        self,
        event: QEvent,
        model: QAbstractItemModel,
        option: QStyleOptionViewItem,
        index: Index,
    ) -> bool:
        kinds = QEvent.Type
        if event.type() not in (
            kinds.MouseButtonPress,
            kinds.MouseButtonRelease,
            kinds.MouseButtonDblClick,
        ):
            return False
        mouse = cast(QMouseEvent, event)
        if mouse.button() != Qt.MouseButton.LeftButton:
            return False
        name = _button_at(_rect(option), mouse.position().toPoint())
        if name and event.type() != kinds.MouseButtonRelease:
            self.turned.emit(_layer(index), name)
        return bool(name)

    def helpEvent(
        self,
        event: QHelpEvent,
        view: QAbstractItemView,
        option: QStyleOptionViewItem,
        index: Index,
    ) -> bool:
        if event.type() != QEvent.Type.ToolTip or not index.isValid():
            return False
        layer, name = _layer(index), _button_at(_rect(option), event.pos())
        text = {
            "visible": self.tr("Hide (Space)") if layer.visible else self.tr("Show (Space)"),
            "locked": self.tr("Unlock") if layer.locked else self.tr("Lock against changes"),
        }.get(name, self.tr("Double-click to rename, drag to move"))
        QToolTip.showText(event.globalPos(), text, view)
        return True

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        editor = QLineEdit(parent)
        editor.setAccessibleName(self.tr("Name of the layer"))
        return editor

    def updateEditorGeometry(
        self, editor: QWidget, option: QStyleOptionViewItem, index: Index
    ) -> None:
        place = name_rect(_rect(option))
        height = editor.sizeHint().height()
        editor.setGeometry(
            place.left() - SPACING,
            place.center().y() - height // 2,
            place.width() + SPACING,
            height,
        )


def mode_name(mode: BlendMode) -> str:
    """As people read it: Color dodge."""
    return mode.value.replace("-", " ").capitalize()


def eye_rect(row: QRect) -> QRect:
    return QRect(row.left() + GAP, row.center().y() - BUTTON // 2, BUTTON, BUTTON)


def lock_rect(row: QRect) -> QRect:
    return QRect(row.right() - GAP - BUTTON, row.center().y() - BUTTON // 2, BUTTON, BUTTON)


def thumbnail_rect(row: QRect) -> QRect:
    left = eye_rect(row).right() + GAP
    return QRect(left, row.center().y() - THUMBNAIL // 2, THUMBNAIL, THUMBNAIL)


def name_rect(row: QRect) -> QRect:
    left, right = thumbnail_rect(row).right() + SPACING, lock_rect(row).left() - GAP
    return QRect(left, row.top() + GAP, right - left, row.height() - 2 * GAP)


def _button_at(row: QRect, place: QPoint) -> str:
    """The name of the layer's field that a press there turns over, or nothing."""
    if eye_rect(row).contains(place):
        return "visible"
    return "locked" if lock_rect(row).contains(place) else ""


def _paint_thumbnail(painter: QPainter, row: QRect, index: Index) -> None:
    frame = QRectF(thumbnail_rect(row)).adjusted(0.5, 0.5, -0.5, -0.5)
    outline = QPainterPath()
    outline.addRoundedRect(frame, SPACING / 2, SPACING / 2)
    painter.setClipPath(outline)
    paint_checkerboard(painter, frame)
    pixmap = cast(QPixmap, index.data(Qt.ItemDataRole.UserRole + 1))
    if not pixmap.isNull():
        size = pixmap.deviceIndependentSize()
        place = QRectF(0, 0, size.width(), size.height())
        place.moveCenter(frame.center())
        painter.drawPixmap(place.topLeft(), pixmap)
    painter.setClipping(False)
    painter.setPen(theme.colors().border)
    painter.drawPath(outline)


def _fill(painter: QPainter, rect: QRect, color: object) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    painter.drawRoundedRect(QRectF(rect).adjusted(2, 1, -2, -1), SPACING / 2, SPACING / 2)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _icon(button: QRect) -> QRect:
    place = QRect(0, 0, ICON, ICON)
    place.moveCenter(button.center())
    return place


def _layer(index: Index) -> Layer:
    return cast(Layer, index.data(Qt.ItemDataRole.UserRole))


def _rect(option: QStyleOptionViewItem) -> QRect:
    return option.rect
