"""Shows one image: zoom to the cursor, pan, fit, 1:1; drag it out, drop another in."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, QPoint, QPointF, QRectF, QSize, Qt, QUrl, Signal
from PySide6.QtGui import (
    QDrag,
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QImage,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QWidget

from studio import theme
from studio.widgets.checkerboard import paint_checkerboard

ZOOM_STEP = 1.25
SMALLEST, LARGEST = 0.02, 64.0  # device pixels for one pixel of the image
CRISP_FROM = 4.0  # from this zoom on, pixels are shown as squares
PAN_STEP = 6 * theme.SPACING
THUMBNAIL = 128  # pixels of the picture under the cursor while dragging out
MARGIN = 2 * theme.SPACING


class ImageCanvas(QWidget):
    """Follows the size of the window until the person zooms; `fit` follows it again."""

    dropped = Signal(object)  # the Path of a file that was dropped here
    zoom_changed = Signal(float)  # device pixels for one pixel of the image

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Canvas"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAcceptDrops(True)
        self.setMinimumSize(24 * theme.SPACING, 16 * theme.SPACING)
        self.image = QImage()
        self.path: Path | None = None
        self._words = ""
        self.is_preview = False
        self._zoom = 1.0
        self._center = QPointF()  # the point of the image in the middle of the canvas
        self._follows = True
        self._pressed: QPointF | None = None
        self._space = False

    def sizeHint(self) -> QSize:
        return QSize(80 * theme.SPACING, 60 * theme.SPACING)

    # ------------------------------------------------------------------ what is shown

    def show_image(self, image: QImage, path: Path | None) -> None:
        """Show a finished image, and the file it is in."""
        self.is_preview = False
        self.path = path
        self._show(image)

    def show_preview(self, image: QImage, size: QSize) -> None:
        """Show a half-made image as large as the finished one will be."""
        self.is_preview = True
        self.path = None
        mode = Qt.TransformationMode.SmoothTransformation
        self._show(image.scaled(size, Qt.AspectRatioMode.IgnoreAspectRatio, mode))

    def clear(self) -> None:
        self.path, self.is_preview = None, False
        self._show(QImage())

    def _show(self, image: QImage) -> None:
        same_size = image.size() == self.image.size()
        self.image = image
        if self._follows or not same_size:
            self.fit()
        self.update()

    def set_words(self, words: str) -> None:
        """What to say while there is no image."""
        self._words = words
        self.update()

    def copy(self) -> None:
        """Put the image on the clipboard, as pixels and as a file."""
        if not self.image.isNull():
            QGuiApplication.clipboard().setMimeData(mime_of(self.image, self.path))

    # ------------------------------------------------------------------ zoom and pan

    @property
    def zoom(self) -> float:
        return self._zoom

    def fit(self) -> None:
        """As large as the canvas allows, and so again when its size changes."""
        self._follows = True
        self._center = QRectF(self.image.rect()).center()
        if self.image.isNull():
            return
        ratio = self.devicePixelRatioF()
        width = max(self.width() - 2 * MARGIN, 1) * ratio / self.image.width()
        height = max(self.height() - 2 * MARGIN, 1) * ratio / self.image.height()
        self._set_zoom(min(width, height))

    def actual_size(self) -> None:
        """One pixel of the image on one pixel of the screen."""
        self._follows = False
        self._set_zoom(1.0)

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        """Zoom so that the point of the image at `at` (logical pixels) stays where it is."""
        if self.image.isNull():
            return
        anchor = at or QRectF(self.rect()).center()
        before = self._to_image(anchor)
        self._follows = False
        self._set_zoom(self._zoom * factor)
        self._center += before - self._to_image(anchor)
        self.update()

    def zoom_in(self) -> None:
        self.zoom_by(ZOOM_STEP)

    def zoom_out(self) -> None:
        self.zoom_by(1 / ZOOM_STEP)

    def pan(self, by: QPointF) -> None:
        """Move the image by so many logical pixels."""
        self._follows = False
        center = self._center - by / self._scale()
        self._center = QPointF(
            min(max(center.x(), 0), self.image.width()),
            min(max(center.y(), 0), self.image.height()),
        )
        self.update()

    def _set_zoom(self, zoom: float) -> None:
        self._zoom = min(max(zoom, SMALLEST), LARGEST)
        self.zoom_changed.emit(self._zoom)
        self.update()

    def _scale(self) -> float:
        """Logical pixels for one pixel of the image."""
        return self._zoom / self.devicePixelRatioF()

    def _to_image(self, place: QPointF) -> QPointF:
        return self._center + (place - QRectF(self.rect()).center()) / self._scale()

    def image_rect(self) -> QRectF:
        """Where the image is, in logical pixels."""
        size = QPointF(self.image.width(), self.image.height()) * self._scale()
        corner = QRectF(self.rect()).center() - self._center * self._scale()
        return QRectF(corner.x(), corner.y(), size.x(), size.y())

    # ------------------------------------------------------------------ events

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        colors = theme.colors()
        painter.fillRect(self.rect(), colors.canvas)
        if self.image.isNull():
            painter.setPen(colors.muted)
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._words)
            return
        place = self.image_rect()
        if self.image.hasAlphaChannel():
            paint_checkerboard(painter, place & QRectF(self.rect()))
        smooth = self._zoom < CRISP_FROM or self.is_preview
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.drawImage(place, self.image)
        painter.setPen(colors.accent_text if self.is_preview else colors.border)
        painter.drawRect(place.adjusted(-0.5, -0.5, 0.5, 0.5))
        if self.hasFocus():
            painter.setPen(colors.accent_text)
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._follows:
            self.fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        notches = event.angleDelta().y() / 120
        self.zoom_by(ZOOM_STEP**notches, event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._pressed = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None or self.image.isNull():
            return
        moved = event.position() - self._pressed
        if self._drags_out(event):
            if moved.manhattanLength() >= QApplication.startDragDistance():
                self._pressed = None
                self._drag_out()
            return
        self._pressed = event.position()
        self.setCursor(Qt.CursorShape.ClosedHandCursor)
        self.pan(moved)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pressed = None
        self.unsetCursor()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.actual_size() if self._follows else self.fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {
            Qt.Key.Key_Left: QPointF(PAN_STEP, 0),
            Qt.Key.Key_Right: QPointF(-PAN_STEP, 0),
            Qt.Key.Key_Up: QPointF(0, PAN_STEP),
            Qt.Key.Key_Down: QPointF(0, -PAN_STEP),
        }.get(Qt.Key(event.key()))
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        elif event.key() in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom_in()
        elif event.key() == Qt.Key.Key_Minus:
            self.zoom_out()
        elif event.key() in (Qt.Key.Key_F, Qt.Key.Key_0):
            self.fit()
        elif event.key() == Qt.Key.Key_1:
            self.actual_size()
        elif event.key() == Qt.Key.Key_Space:
            self._space = True
        elif step is not None:
            self.pan(step)
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._space = False
        super().keyReleaseEvent(event)

    # ------------------------------------------------------------------ drag and drop

    def _drags_out(self, event: QMouseEvent) -> bool:
        """A whole image is dragged out; a zoomed one is moved, as it is with the space bar."""
        fits = QRectF(self.rect()).contains(self.image_rect())
        left = bool(event.buttons() & Qt.MouseButton.LeftButton)
        return left and fits and not self._space and self.path is not None

    def _drag_out(self) -> None:
        drag = QDrag(self)
        drag.setMimeData(mime_of(self.image, self.path))
        mode = Qt.TransformationMode.SmoothTransformation
        keep = Qt.AspectRatioMode.KeepAspectRatio
        drag.setPixmap(QPixmap.fromImage(self.image.scaled(THUMBNAIL, THUMBNAIL, keep, mode)))
        drag.setHotSpot(QPoint(THUMBNAIL // 2, THUMBNAIL // 2))
        drag.exec(Qt.DropAction.CopyAction)

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
