"""A grid of pictures of which one can be picked, by mouse or keyboard."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from engine.grid import Cells, cells_in
from studio import theme
from studio.widgets.crisp_picture import CrispPicture

STEPS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


class CellPicker(CrispPicture):
    """`picked` carries the number of a cell, counted row by row. Until `set_cells` says how large
    they are, and for a picture that is no such grid, it is a picture like any other."""

    picked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__()
        self._cell = 0
        self._hovered: int | None = None
        self._current: int | None = None
        self.setMouseTracking(True)

    def set_cells(self, size: int) -> None:
        """The width and height of a cell in pixels of the picture; 0 for none."""
        if size != self._cell:
            self._cell = size
            self._adapt()

    def show_image(self, image: QImage | None) -> None:
        super().show_image(image)
        self._adapt()

    def set_current(self, cell: int | None) -> None:
        """Which one is told about now."""
        self._current = cell
        self.update()

    @property
    def cells(self) -> Cells | None:
        """None where nothing can be picked."""
        if self.image is None or self._cell == 0:
            return None
        return cells_in(self.image.width(), self.image.height(), self._cell)

    def place(self, cell: int) -> QRectF:
        """Where a cell is on this widget."""
        cells = self.cells
        assert cells is not None
        return self._on_widget(QRect(*cells.corner(cell), cells.size, cells.size))

    def _on_widget(self, part: QRect) -> QRectF:
        """A part of the picture, where it is drawn."""
        assert self.image is not None
        target, ratio = self.target_rect(), self.devicePixelRatio()
        scale = target.width() / self.image.width()
        corner = QPointF(target.topLeft()) + QPointF(part.topLeft()) * scale
        return QRectF(corner / ratio, part.size().toSizeF() * (scale / ratio))

    def _cell_at(self, point: QPointF) -> int | None:
        count = self.cells.count if self.cells else 0
        return next((cell for cell in range(count) if self.place(cell).contains(point)), None)

    def _adapt(self) -> None:
        can = self.cells is not None
        self._hovered = None
        policy = Qt.FocusPolicy.StrongFocus if can else Qt.FocusPolicy.NoFocus
        self.setFocusPolicy(policy)
        self.setCursor(Qt.CursorShape.PointingHandCursor if can else Qt.CursorShape.ArrowCursor)
        self.setToolTip(
            self.tr(
                "Click a sample, or choose it with the arrows and Enter: its nearest training "
                "images are shown beside it"
            )
            if can
            else ""
        )
        self.update()

    # ------------------------------------------------------------------ hand

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover(self._cell_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hover(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self._cell_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and cell is not None:
            self._pick(cell)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        cells, key = self.cells, Qt.Key(event.key())
        if cells is None:
            super().keyPressEvent(event)
        elif key in STEPS:
            row, column = divmod(self._hovered or 0, cells.columns)
            across, down = STEPS[key] if self._hovered is not None else (0, 0)
            column = min(max(column + across, 0), cells.columns - 1)
            row = min(max(row + down, 0), cells.rows - 1)
            self._hover(row * cells.columns + column)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._pick(self._hovered or 0)
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._hover(None)

    def _hover(self, cell: int | None) -> None:
        if cell != self._hovered:
            self._hovered = cell
            self.update()

    def _pick(self, cell: int) -> None:
        self._hovered = cell
        self.update()
        self.picked.emit(cell)

    # ------------------------------------------------------------------ paint

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        count = self.cells.count if self.cells else 0
        chosen = theme.colors()
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for cell, width in ((self._current, 3.0), (self._hovered, 2.0)):
                if cell is not None and cell < count:
                    painter.setPen(QPen(chosen.accent, width))
                    painter.drawRect(self.place(cell).adjusted(-1, -1, 1, 1))
            if self.hasFocus() and self._hovered is None and count:
                painter.setPen(QPen(chosen.accent_text, 1.5))
                assert self.image is not None
                whole = self._on_widget(QRect(0, 0, self.image.width(), self.image.height()))
                painter.drawRect(whole.adjusted(1, 1, -1, -1))

    def sizeHint(self) -> QSize:
        return QSize(480, 480)
