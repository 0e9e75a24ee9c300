"""The results of a session as a row of thumbnails, newest first."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, QModelIndex, QPoint, QSize, Qt, QUrl, Signal
from PySide6.QtGui import QAction, QIcon, QImage, QPixmap
from PySide6.QtWidgets import QListView, QListWidget, QListWidgetItem, QMenu, QWidget

from engine.errors import FileError
from engine.gate.images import open_image
from studio import images, theme
from studio.background import Background

SIDE = 64  # logical pixels of a thumbnail
MOST = 500  # thumbnails kept; the files stay where they are

PATH_ROLE = Qt.ItemDataRole.UserRole


class ResultsStrip(QListWidget):
    """Arrow keys or a click choose a result; it can be dragged out as a file."""

    chosen = Signal(object)  # Path

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Results"))
        self.setToolTip(self.tr("What was drawn, newest first"))
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setUniformItemSizes(True)
        self.setIconSize(QSize(SIDE, SIDE))
        self.setSpacing(theme.SPACING // 2)
        self.setDragEnabled(True)
        self.setDragDropMode(QListWidget.DragDropMode.DragOnly)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._show_menu)
        self.setFixedHeight(SIDE + 5 * theme.SPACING)
        self.currentItemChanged.connect(self._choose)
        self._background = Background(self)
        self.menu_actions: list[QAction] = []
        """What the context menu offers for the chosen result."""

    def add(self, path: Path, tooltip: str = "") -> None:
        """Put a result in front; its thumbnail follows as soon as it is decoded."""
        item = QListWidgetItem()
        item.setData(PATH_ROLE, path)
        item.setData(Qt.ItemDataRole.AccessibleTextRole, tooltip or path.name)
        item.setSizeHint(QSize(SIDE + theme.SPACING, SIDE + theme.SPACING))
        item.setToolTip(_plain(tooltip or path.name))
        self.insertItem(0, item)
        if self.count() > MOST:
            self.takeItem(self.count() - 1)
        side = round(SIDE * self.devicePixelRatioF())
        self._background.run(
            lambda: _thumbnail(path, side), lambda image: _set_icon(self, path, image)
        )

    def select(self, path: Path) -> None:
        """Mark a result without announcing it."""
        item = self._item(path)
        if item:
            self.blockSignals(True)
            self.setCurrentItem(item)
            self.blockSignals(False)

    def newest(self) -> Path | None:
        return self.item(0).data(PATH_ROLE) if self.count() else None

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

    def _show_menu(self, place: QPoint) -> None:
        index: QModelIndex = self.indexAt(place)
        if index.isValid():
            menu = QMenu(self)
            menu.addActions(self.menu_actions)
            menu.exec(self.mapToGlobal(place))


def _set_icon(strip: ResultsStrip, path: Path, image: QImage | None) -> None:
    item = strip._item(path)
    if item is None:
        return
    if image is None:
        item.setIcon(theme.icon("circle-alert"))
        return
    pixmap = QPixmap.fromImage(image)
    pixmap.setDevicePixelRatio(strip.devicePixelRatioF())
    item.setIcon(QIcon(pixmap))


def _thumbnail(path: Path, side: int) -> QImage | None:
    """Decoded off the GUI thread; None for a file that cannot be read."""
    try:
        picture = open_image(path)
    except FileError:
        return None
    picture.thumbnail((side, side))
    return images.from_pil(picture)


def _plain(text: str) -> str:
    """A tooltip shows anything that looks like HTML as such, unless it is told not to."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    return f"<qt>{escaped}</qt>"
