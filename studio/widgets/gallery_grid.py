"""The grid of the gallery: any number of pictures, of which only those in sight are there."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from PySide6.QtCore import (
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QMimeData,
    QPoint,
    QSize,
    Qt,
    QUrl,
    Signal,
)
from PySide6.QtGui import (
    QDrag,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QListView, QWidget

from studio import theme
from studio.thumbnail_loader import ThumbnailLoader
from studio.widgets.gallery_cell import CellDelegate
from studio.widgets.gallery_model import PictureModel

GAP = theme.SPACING
MARGIN = 2 * theme.SPACING - GAP // 2  # so that pictures stand under the search field
SMALLEST, LARGEST, STEP = 96, 352, 16  # logical pixels of a picture's longer side
MOST_DRAGGED = 500  # files that other programs are handed at once
DRAG_SIDE = 16 * theme.SPACING
ALONE = QItemSelectionModel.SelectionFlag.ClearAndSelect


class GalleryGrid(QListView):
    """Arrows, Home, End and the page keys move; the keys for deeds are told as signals."""

    opened = Signal()  # Enter, or a double click
    looked = Signal()  # the space bar
    starred = Signal()
    selection_changed = Signal()
    side_changed = Signal(int)

    def __init__(self, loader: ThumbnailLoader, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pictures = PictureModel(loader, self)
        self._loader = loader
        self._side = 160
        self.setModel(self.pictures)
        self._delegate = CellDelegate(self)
        self.setItemDelegate(self._delegate)
        loader.loaded.connect(self._show_loaded)
        self.setAccessibleName(self.tr("Pictures"))
        theme.set_role(self, "strip")
        # Opaque, so that what is still in sight is moved when scrolling, and not painted again.
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setViewportMargins(MARGIN, 0, MARGIN // 2, 0)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QListView.SelectionMode.ExtendedSelection)
        self.setDragEnabled(True)
        self.setMouseTracking(True)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.doubleClicked.connect(self.opened)
        self.selectionModel().selectionChanged.connect(self.selection_changed)
        self.selectionModel().currentChanged.connect(self.selection_changed)

    # ------------------------------------------------------------------ what is shown

    def show_numbers(self, numbers: array[int]) -> None:
        """Show other pictures; what is still there stays selected, and where it is in sight."""
        if numbers == self.pictures.numbers:
            self.viewport().update()
            return
        current, chosen = self.current_number(), self.chosen_numbers()
        anchor = self._anchor()
        row = self.currentIndex().row()
        self.pictures.set_numbers(numbers)
        self._select_numbers(chosen, current, row)
        if anchor is not None:
            self._return_to(*anchor)
        self.selection_changed.emit()

    def current_number(self) -> int | None:
        index = self.currentIndex()
        return self.pictures.numbers[index.row()] if index.isValid() else None

    def chosen_numbers(self) -> list[int]:
        """The numbers of the selected pictures, in the order they are shown."""
        rows = sorted(
            row
            for part in self.selectionModel().selection().toList()
            for row in range(part.top(), part.bottom() + 1)
        )
        return [self.pictures.numbers[row] for row in rows]

    def select_number(self, number: int) -> None:
        """Select one picture and bring it into sight."""
        row = self.pictures.row_of(number)
        if row is not None:
            self.selectionModel().setCurrentIndex(self.pictures.index(row), ALONE)
            self.scrollTo(self.currentIndex())

    def step(self, by: int) -> None:
        """Go on to the next picture, or back."""
        row = self.currentIndex().row() + by
        if 0 <= row < len(self.pictures.numbers):
            self.select_number(self.pictures.numbers[row])

    def _select_numbers(self, chosen: Sequence[int], current: int | None, row: int) -> None:
        """Mark what was marked; where the current one is gone, the one in its place."""
        rows = sorted(r for r in map(self.pictures.row_of, chosen) if r is not None)
        selection = QItemSelection()
        for first, last in _runs(rows):
            selection.select(self.pictures.index(first), self.pictures.index(last))
        model = self.selectionModel()
        at = self.pictures.row_of(current) if current is not None else None
        if at is None and row >= 0 and len(self.pictures.numbers):
            at = min(row, len(self.pictures.numbers) - 1)
            if not rows:  # what was chosen is gone: the next one takes its place
                selection.select(self.pictures.index(at), self.pictures.index(at))
        if at is not None:
            keep = QItemSelectionModel.SelectionFlag.NoUpdate
            model.setCurrentIndex(self.pictures.index(at), keep)
        model.select(selection, ALONE)

    def _show_loaded(self, numbers: Sequence[int]) -> None:
        """Paint what has come, where it is in sight."""
        area = self.viewport().rect()
        first = self.indexAt(area.topLeft() + QPoint(GAP, GAP)).row()
        last = self.indexAt(area.bottomRight() - QPoint(GAP, GAP)).row()
        seen = range(max(first, 0), (last if last >= 0 else len(self.pictures.numbers) - 1) + 1)
        for row in map(self.pictures.row_of, numbers):
            if row is not None and row in seen:
                self.update(self.pictures.index(row))

    def _anchor(self) -> tuple[int, int] | None:
        """The first picture in sight and where it is; None at the top, where new ones appear."""
        index = self.indexAt(QPoint(GAP * 2, GAP * 2))
        if self.verticalScrollBar().value() == 0 or not index.isValid():
            return None
        return self.pictures.numbers[index.row()], self.visualRect(index).top()

    def _return_to(self, number: int, top: int) -> None:
        row = self.pictures.row_of(number)
        if row is not None:
            self.executeDelayedItemsLayout()
            bar = self.verticalScrollBar()
            now = self.visualRect(self.pictures.index(row)).top()
            bar.setValue(bar.value() + now - top)

    # ------------------------------------------------------------------ sizes

    @property
    def side(self) -> int:
        return self._side

    def set_side(self, side: int) -> None:
        """Logical pixels of a picture's longer side."""
        side = min(max(side, SMALLEST), LARGEST)
        if side != self._side:
            self._side = side
            self._lay_out()
            self.side_changed.emit(side)

    def _lay_out(self) -> None:
        """As many columns as there is room for, spread evenly."""
        anchor = self._anchor()
        width = max(self.viewport().width(), self._side + GAP)
        columns = max(1, width // (self._side + GAP))
        cell = QSize(width // columns, self._side + GAP)
        self._loader.set_look(self._side, self.devicePixelRatioF())
        if cell != self.gridSize():
            self.setGridSize(cell)
            self.verticalScrollBar().setSingleStep(cell.height() // 3)
            if anchor is not None:
                self._return_to(*anchor)
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._lay_out()
        super().resizeEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._lay_out()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_side"):
            self._lay_out()

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self.viewport()) as painter:
            self._delegate.colors = theme.colors()
            painter.fillRect(event.rect(), self._delegate.colors.background)
        super().paintEvent(event)

    # ------------------------------------------------------------------ hand

    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = event.modifiers() in (
            Qt.KeyboardModifier.NoModifier,
            Qt.KeyboardModifier.KeypadModifier,
            Qt.KeyboardModifier.ShiftModifier,
        )
        if plain and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit()
        elif plain and event.key() == Qt.Key.Key_Space:
            self.looked.emit()
        elif plain and event.key() in (Qt.Key.Key_S, Qt.Key.Key_Asterisk):
            self.starred.emit()
        else:
            super().keyPressEvent(event)

    def keyboardSearch(self, search: str) -> None:
        """Letters are keys for deeds here; pictures have no names to jump to."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.set_side(self._side + (STEP if event.angleDelta().y() > 0 else -STEP))
            event.accept()
        else:
            super().wheelEvent(event)

    def drag_data(self) -> QMimeData:
        """What other programs are handed: the files."""
        data = QMimeData()
        paths = self._loader.paths(self.chosen_numbers()[:MOST_DRAGGED])
        data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        return data

    def startDrag(self, actions: Qt.DropAction) -> None:
        data = self.drag_data()
        if not data.urls():
            return
        drag = QDrag(self)
        drag.setMimeData(data)
        cell = self.pictures.cell(self.currentIndex().row())
        if cell is not None and cell.image is not None:
            keep, smooth = (
                Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
            side = round(DRAG_SIDE * self.devicePixelRatioF())
            image = cell.image.scaled(side, side, keep, smooth)
            drag.setPixmap(QPixmap.fromImage(image))
            drag.setHotSpot(QPoint(DRAG_SIDE // 2, DRAG_SIDE // 2))
        drag.exec(Qt.DropAction.CopyAction)  # never moved: a picture stays in the gallery


def _runs(rows: Sequence[int]) -> list[tuple[int, int]]:
    """Ascending numbers as stretches without gaps: first and last of each."""
    runs: list[tuple[int, int]] = []
    for row in rows:
        if runs and runs[-1][1] == row - 1:
            runs[-1] = (runs[-1][0], row)
        else:
            runs.append((row, row))
    return runs
