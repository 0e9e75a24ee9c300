"""What all views of a picture share: zoom to the cursor, pan, fit, and files dropped on them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QMimeData, QPointF, QSize, Qt, QUrl, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDropEvent,
    QFocusEvent,
    QImage,
    QInputDevice,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from studio import theme
from studio.widgets.viewport import PAN_STEP, ZOOM_STEP, Viewport

NOTCH = 120  # of a wheel, in eighths of a degree


class PictureView(QWidget):
    """Subclasses paint; they tell the viewport the size of the picture."""

    dropped = Signal(object)  # the Path of a file that was dropped here
    zoom_changed = Signal(float)  # device pixels for one pixel of the picture

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Canvas"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAcceptDrops(True)
        self.setMinimumSize(24 * theme.SPACING, 16 * theme.SPACING)
        self.viewport = Viewport()
        self._space = False
        self._hand: QPointF | None = None  # where the picture is held while it is moved

    def sizeHint(self) -> QSize:
        return QSize(80 * theme.SPACING, 60 * theme.SPACING)

    # ------------------------------------------------------------------ zoom and pan

    @property
    def zoom(self) -> float:
        return self.viewport.zoom

    @property
    def scale(self) -> float:
        """Logical pixels for one pixel of the picture."""
        return self.viewport.scale

    def fit(self) -> None:
        """As large as the view allows, and so again when its size changes."""
        self.viewport.fit()
        self._moved()

    def actual_size(self) -> None:
        """One pixel of the picture on one pixel of the screen."""
        self.viewport.actual_size()
        self._moved()

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        """Zoom so that what is at `at` (logical pixels) stays where it is."""
        self.viewport.zoom_by(factor, at)
        self._moved()

    def zoom_in(self) -> None:
        self.zoom_by(ZOOM_STEP)

    def zoom_out(self) -> None:
        self.zoom_by(1 / ZOOM_STEP)

    def pan(self, by: QPointF) -> None:
        """Move the picture by so many logical pixels."""
        self.viewport.pan(by)
        self._moved()

    def go_to(self, place: Mapping[str, Any]) -> None:
        """Look where `viewport.place` has told it."""
        self.viewport.go_to(place)
        self._moved()

    def _moved(self) -> None:
        self.zoom_changed.emit(self.zoom)
        self.update()

    def _set_picture(self, size: QSize) -> None:
        self.viewport.set_view(self.size(), self.devicePixelRatioF())
        self.viewport.set_picture(size)
        self._moved()

    # ------------------------------------------------------------------ events

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.viewport.set_view(self.size(), self.devicePixelRatioF())
        self._moved()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QNativeGestureEvent):
            if event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
                self.zoom_by(1 + event.value(), event.position())
                return True
        elif event.type() == QEvent.Type.DevicePixelRatioChange:
            self.viewport.set_view(self.size(), self.devicePixelRatioF())
        return super().event(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """A wheel zooms; two fingers on a touchpad move, and zoom with Ctrl."""
        by = event.pixelDelta()
        touchpad = event.device().type() == QInputDevice.DeviceType.TouchPad
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if touchpad and not control and not by.isNull():
            self.pan(QPointF(by))
        else:
            self.zoom_by(ZOOM_STEP ** (event.angleDelta().y() / NOTCH), event.position())
        event.accept()

    def takes_hand(self, event: QMouseEvent) -> bool:
        """Whether this press takes hold of the picture itself."""
        left = event.button() == Qt.MouseButton.LeftButton
        return event.button() == Qt.MouseButton.MiddleButton or (left and self._space)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.takes_hand(event):
            self._hand = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._hand is not None:
            moved = event.position() - self._hand
            self._hand = event.position()
            self.pan(moved)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._hand = None
        self.show_cursor()

    def show_cursor(self) -> None:
        """The cursor that says what a press would do."""
        if self._space:
            self.setCursor(Qt.CursorShape.OpenHandCursor)
        else:
            self.unsetCursor()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {
            Qt.Key.Key_Left: QPointF(PAN_STEP, 0),
            Qt.Key.Key_Right: QPointF(-PAN_STEP, 0),
            Qt.Key.Key_Up: QPointF(0, PAN_STEP),
            Qt.Key.Key_Down: QPointF(0, -PAN_STEP),
        }.get(Qt.Key(event.key()))
        if event.key() in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom_in()
        elif event.key() == Qt.Key.Key_Minus:
            self.zoom_out()
        elif event.key() in (Qt.Key.Key_F, Qt.Key.Key_0):
            self.fit()
        elif event.key() == Qt.Key.Key_1:
            self.actual_size()
        elif event.key() == Qt.Key.Key_Space:
            self._hold_space(event, True)
        elif step is not None:
            self.pan(step)
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space:
            self._hold_space(event, False)
        super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Whoever has the focus next is told when the space bar is let go."""
        self._space = False
        self.show_cursor()
        super().focusOutEvent(event)

    def _hold_space(self, event: QKeyEvent, held: bool) -> None:
        if not event.isAutoRepeat():
            self._space = held
            if self._hand is None:
                self.show_cursor()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.source() is not self and dropped_file(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = dropped_file(event.mimeData())
        if path:
            event.acceptProposedAction()
            self.dropped.emit(path)


def mime_of(image: QImage, path: Path | None) -> QMimeData:
    """The image for the clipboard or another program: as pixels, and as the file it is in."""
    data = QMimeData()
    data.setImageData(image)
    if path:
        data.setUrls([QUrl.fromLocalFile(str(path))])
    return data


def dropped_file(data: QMimeData) -> Path | None:
    """The first local file of what is being dropped."""
    return next((Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()), None)
