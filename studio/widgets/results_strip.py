"""The results of a session as a row of thumbnails, newest first."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from PIL import ImageOps
from PySide6.QtCore import (
    QEvent,
    QItemSelectionModel,
    QMimeData,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    QUrl,
    Signal,
)
from PySide6.QtGui import (
    QAction,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPainterPath,
    QPen,
)
from PySide6.QtWidgets import (
    QListView,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from engine.errors import FileError
from engine.gate.images import open_image
from studio import images, theme
from studio.background import Background
from studio.widgets.checkerboard import paint_checkerboard
from studio.widgets.tooltips import literal

SIDE = 56  # logical pixels of a thumbnail
CELL = SIDE + theme.SPACING
ROUND = theme.SPACING / 2
MOST = 500  # thumbnails kept; the files stay where they are

PATH_ROLE = Qt.ItemDataRole.UserRole
IMAGE_ROLE = PATH_ROLE + 1
ALONE = QItemSelectionModel.SelectionFlag.ClearAndSelect


class ResultsStrip(QListWidget):
    """Arrow keys or a click choose a result; it can be dragged out as a file."""

    chosen = Signal(object)  # Path

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Results"))
        self.setToolTip(
            self.tr("What was drawn, newest first; Ctrl or Shift and a click choose several")
        )
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QListWidget.SelectionMode.ExtendedSelection)
        self.setDragEnabled(True)
        self.setDragDropMode(QListWidget.DragDropMode.DragOnly)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._show_menu)
        self.setItemDelegate(_ThumbnailDelegate(self))
        self.setMouseTracking(True)
        self.viewport().setAutoFillBackground(False)
        theme.set_role(self, "strip")
        self.setFixedHeight(CELL + 2 * theme.SPACING)
        self.currentItemChanged.connect(self._choose)
        self._background = Background(self)
        self.menu_actions: list[QAction] = []
        """What the context menu offers for the chosen result."""

    def add(self, path: Path, tooltip: str = "") -> None:
        """Put a result in front; its thumbnail follows as soon as it is decoded."""
        if self._item(path):
            return
        item = QListWidgetItem()
        item.setData(PATH_ROLE, path)
        item.setData(Qt.ItemDataRole.AccessibleTextRole, tooltip or path.name)
        item.setSizeHint(QSize(CELL, CELL))
        item.setToolTip(literal(tooltip or path.name))
        self.insertItem(0, item)
        if self.count() > MOST:
            self.takeItem(self.count() - 1)
        side = round(SIDE * self.devicePixelRatioF())
        self._background.run(
            lambda: _thumbnail(path, side), lambda image: _show_thumbnail(self, path, image)
        )

    def select(self, path: Path | None) -> None:
        """Mark a result, or none, without announcing it."""
        item = self._item(path) if path else None
        if path is None:
            self.blockSignals(True)
            self.clearSelection()
            self.setCurrentRow(-1)
            self.blockSignals(False)
        elif item and item is not self.currentItem():  # else several may be chosen, and stay so
            self.blockSignals(True)
            self.setCurrentItem(item, ALONE)
            self.blockSignals(False)

    def chosen_paths(self) -> list[Path]:
        """All that are marked, oldest first."""
        rows = sorted((self.row(item) for item in self.selectedItems()), reverse=True)
        return [self.item(row).data(PATH_ROLE) for row in rows]

    def newest(self) -> Path | None:
        return self.item(0).data(PATH_ROLE) if self.count() else None

    def event(self, event: QEvent) -> bool:
        """Here Ctrl+A marks all results; elsewhere it is for the canvas."""
        override = event.type() == QEvent.Type.ShortcutOverride
        is_key = override and isinstance(event, QKeyEvent)
        if is_key and cast(QKeyEvent, event).matches(QKeySequence.StandardKey.SelectAll):
            event.accept()
            return True
        return super().event(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Qt would choose the first one; a person who comes by with Tab has chosen nothing yet."""
        row = self.currentRow()
        self.blockSignals(True)
        super().focusInEvent(event)
        if row < 0:
            self.clearSelection()
            self.setCurrentRow(-1)
        self.blockSignals(False)

    def mimeData(self, items: list[QListWidgetItem]) -> QMimeData:  # type: ignore[override]
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(item.data(PATH_ROLE))) for item in items])
        return data

    def _item(self, path: Path) -> QListWidgetItem | None:
        items = (self.item(row) for row in range(self.count()))
        return next((item for item in items if item.data(PATH_ROLE) == path), None)

    def _choose(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.chosen.emit(item.data(PATH_ROLE))

    def menu_at(self, place: QPoint) -> QMenu | None:
        """What can be done with the marked results, which the one at `place` belongs to."""
        item = self.itemAt(place) or self.currentItem()  # the menu key has no place
        if item is None:
            return None
        if not item.isSelected():
            self.setCurrentItem(item, ALONE)
        menu = QMenu(self)
        menu.addActions(self.menu_actions)
        return menu

    def _show_menu(self, place: QPoint) -> None:
        menu = self.menu_at(place)
        if menu is not None:
            menu.exec(self.mapToGlobal(place))
            menu.deleteLater()


def _show_thumbnail(strip: ResultsStrip, path: Path, image: QImage | None) -> None:
    item = strip._item(path)
    if item is None:
        return
    if image is None:
        size = QSize(SIDE, SIDE)
        image = theme.icon_pixmap("circle-alert", theme.colors().danger, size).toImage()
    item.setData(IMAGE_ROLE, image)


class _ThumbnailDelegate(QStyledItemDelegate):
    """A picture with rounded corners; the chosen one has a ring in the accent colour."""

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        cell: QRect = option.rect
        state: QStyle.StateFlag = option.state
        frame = QRectF(0, 0, SIDE, SIDE)
        frame.moveCenter(QRectF(cell).center())
        outline = QPainterPath()
        outline.addRoundedRect(frame, ROUND, ROUND)
        image: QImage | None = index.data(IMAGE_ROLE)
        painter.save()
        painter.setRenderHints(
            QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform
        )
        painter.fillPath(outline, theme.colors().raised)
        if image is not None:
            painter.setClipPath(outline)
            if image.hasAlphaChannel():
                paint_checkerboard(painter, frame)
            painter.drawImage(frame, image)
            painter.setClipping(False)
        painter.setPen(_ring(state))
        painter.drawPath(outline)
        painter.restore()


def _ring(state: QStyle.StateFlag) -> QPen:
    colors = theme.colors()
    if state & QStyle.StateFlag.State_Selected:
        return QPen(colors.accent_text, 3 if state & QStyle.StateFlag.State_HasFocus else 2)
    return QPen(colors.muted if state & QStyle.StateFlag.State_MouseOver else colors.border, 1)


def _thumbnail(path: Path, side: int) -> QImage | None:
    """The middle square, decoded off the GUI thread; None for a file that cannot be read."""
    try:
        return images.from_pil(ImageOps.fit(open_image(path), (side, side)))
    except FileError:
        return None
