"""The layers of a document as a list, the topmost first: named, hidden, locked, moved."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QListView, QWidget

from studio.canvas.document import Document
from studio.canvas.layer import Layer
from studio.widgets.layer_row import THUMBNAIL, LayerRow

Index = QModelIndex | QPersistentModelIndex
THUMBNAILS_AFTER = 250  # milliseconds from a change of pixels until it is seen in the list
LAYER_ROLE = Qt.ItemDataRole.UserRole
THUMBNAIL_ROLE = LAYER_ROLE + 1


class LayerModel(QAbstractListModel):
    """Row 0 is the topmost layer."""

    def __init__(self, document: Document, ratio: float, parent: QWidget) -> None:
        super().__init__(parent)
        self.document = document
        self._ratio = ratio
        self._thumbnails: dict[str, QPixmap] = {}
        self._layers = list(reversed(document.layers))
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(THUMBNAILS_AFTER)
        self._timer.timeout.connect(self._forget_thumbnails)
        document.layers_changed.connect(self._follow)
        document.changed.connect(self._repaint)

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._layers)

    def layer(self, index: Index) -> Layer:
        return self._layers[index.row()]

    def row(self, layer: Layer | None) -> int:
        return self._layers.index(layer) if layer in self._layers else -1

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        layer = self.layer(index)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return layer.name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._spoken(layer)
        if role == LAYER_ROLE:
            return layer
        return self._thumbnail(layer) if role == THUMBNAIL_ROLE else None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        name = str(value).strip()
        if not index.isValid() or role != Qt.ItemDataRole.EditRole or not name:
            return False
        self.document.change_layer(self.layer(index), name=name)
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        flag = Qt.ItemFlag
        if not index.isValid():
            return flag.ItemIsDropEnabled  # between the layers, not onto them
        return (
            flag.ItemIsEnabled
            | flag.ItemIsSelectable
            | flag.ItemIsEditable
            | flag.ItemIsDragEnabled
            | flag.ItemNeverHasChildren
        )

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction

    def moveRows(self, parent: Index, row: int, count: int, to_parent: Index, to: int) -> bool:
        """What a drag ends with: `to` counts as before the move."""
        if count != 1 or not 0 <= row < len(self._layers) or to in (row, row + 1):
            return False
        place = to - 1 if to > row else to
        self.document.move_layer(self._layers[row], len(self._layers) - 1 - place)
        return True

    def _follow(self) -> None:
        layers = list(reversed(self.document.layers))
        if layers != self._layers:
            self.beginResetModel()
            self._layers = layers
            self._thumbnails.clear()
            self.endResetModel()
        elif layers:
            self.dataChanged.emit(self.index(0), self.index(len(layers) - 1))

    def _repaint(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _forget_thumbnails(self) -> None:
        self._thumbnails.clear()
        if self._layers:
            self.dataChanged.emit(self.index(0), self.index(len(self._layers) - 1))

    def _thumbnail(self, layer: Layer) -> QPixmap:
        if layer.id not in self._thumbnails:
            size = QSize(THUMBNAIL, THUMBNAIL) * self._ratio
            pixmap = QPixmap.fromImage(self.document.thumbnail(layer, size))
            pixmap.setDevicePixelRatio(self._ratio)
            self._thumbnails[layer.id] = pixmap
        return self._thumbnails[layer.id]

    def _spoken(self, layer: Layer) -> str:
        states = [self.tr("hidden")] if not layer.visible else []
        states += [self.tr("locked")] if layer.locked else []
        return ", ".join([layer.name, *states])


class LayerList(QListView):
    """The row that is marked is the layer that is painted on."""

    delete_pressed = Signal()

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Layers"))
        row = LayerRow(self)
        row.turned.connect(self._turn)
        self.setItemDelegate(row)
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._model: LayerModel | None = None
        self.set_document(document)

    @property
    def layers(self) -> LayerModel:
        assert self._model is not None
        return self._model

    def set_document(self, document: Document) -> None:
        """Show the layers of another document."""
        old, self._model = self._model, LayerModel(document, self.devicePixelRatioF(), self)
        self.setModel(self._model)
        if old is not None:
            old.document.layers_changed.disconnect(self._mark)
            old.deleteLater()
        document.layers_changed.connect(self._mark)
        self.selectionModel().currentRowChanged.connect(self._choose)
        self._mark()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index = self.currentIndex()
        if self.state() == QAbstractItemView.State.EditingState:
            event.ignore()  # what the editor of the name leaves over is for nobody
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.delete_pressed.emit()
        elif event.key() == Qt.Key.Key_Space and index.isValid():
            self._turn(self.layers.layer(index), "visible")
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and index.isValid():
            self.edit(index)
        else:
            super().keyPressEvent(event)

    def _turn(self, layer: Layer, name: str) -> None:
        self.layers.document.change_layer(layer, **{name: not getattr(layer, name)})

    def _mark(self) -> None:
        row = self.layers.row(self.layers.document.active)
        index = self.layers.index(row) if row >= 0 else QModelIndex()
        if index != self.currentIndex():
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect
            self.selectionModel().setCurrentIndex(index, flags)
        elif not index.isValid():
            self.selectionModel().clear()

    def _choose(self, index: QModelIndex) -> None:
        if index.isValid():
            self.layers.document.set_active(self.layers.layer(index))
