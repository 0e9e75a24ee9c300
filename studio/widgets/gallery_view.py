"""One picture as large as there is room, over or instead of the grid."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from studio import theme
from studio.widgets.checkerboard import paint_checkerboard
from studio.widgets.picture_view import PictureView
from studio.widgets.viewport import CRISP_FROM

STAR = QSize(24, 24)
BACK = (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)
NEXT = (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_PageDown)
BEFORE = (Qt.Key.Key_Left, Qt.Key.Key_Up, Qt.Key.Key_PageUp)


class GalleryView(PictureView):
    """Arrows go through the pictures, Escape goes back; the wheel zooms, the mouse moves."""

    closed = Signal()
    stepped = Signal(int)  # to the next picture (1) or the one before (-1)
    starred = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Large view"))
        self.setToolTip("")
        self.setAcceptDrops(False)
        self._image = QImage()
        self.words = ""
        self._starred = False
        self.is_quick = False
        """Whether it lies over the grid and needs an edge."""
        self.path: Path | None = None

    def show_image(self, image: QImage, path: Path) -> None:
        self._image, self.words, self.path = image, "", path
        self.viewport.follows = True
        self._set_picture(image.size())

    def show_words(self, words: str) -> None:
        """What to say instead of a picture."""
        self._image, self.words, self.path = QImage(), words, None
        self.update()

    def show_star(self, starred: bool) -> None:
        self._starred = starred
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        colors = theme.colors()
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), colors.canvas)
            if self.is_quick:
                painter.setPen(colors.border)
                painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
            if self._image.isNull():
                painter.setPen(colors.muted)
                flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
                margin = 4 * theme.SPACING
                painter.drawText(self.rect().adjusted(margin, 0, -margin, 0), flags, self.words)
                return
            place = self.viewport.picture_rect()
            if self._image.hasAlphaChannel():
                paint_checkerboard(painter, place & QRectF(self.rect()))
            smooth = self.zoom < CRISP_FROM
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
            painter.drawImage(place, self._image)
            if self._starred:
                ratio = self.devicePixelRatioF()
                star = theme.icon_pixmap("star-filled", colors.warning, STAR, ratio)
                painter.drawPixmap(self.width() - STAR.width() - theme.SPACING, theme.SPACING, star)

    def takes_hand(self, event: QMouseEvent) -> bool:
        return event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.closed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in BACK:
            self.closed.emit()
        elif event.key() in NEXT:
            self.stepped.emit(1)
        elif event.key() in BEFORE:
            self.stepped.emit(-1)
        elif event.key() in (Qt.Key.Key_S, Qt.Key.Key_Asterisk) and not event.modifiers():
            self.starred.emit()
        else:
            super().keyPressEvent(event)
