"""A small picture as large as fits, with crisp pixels."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QSizePolicy, QWidget

from studio import theme

FILLED = 0.85  # of the width that must be used for a whole factor to be good enough


class CrispPicture(QWidget):
    """Paints one picture as large as fits.

    Up by a whole factor where that fills the place, so that every pixel is a square of one size;
    else by the next factor and then smoothly down, which keeps edges nearly as sharp.
    """

    def __init__(self) -> None:
        super().__init__()
        self.image: QImage | None = None
        self._scaled: QPixmap | None = None
        self.setMinimumSize(16 * theme.SPACING, 16 * theme.SPACING)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        return QSize(480, 480)

    def show_image(self, image: QImage | None) -> None:
        self.image = image
        self._scaled = None
        self.update()

    def target_rect(self) -> QRect:
        if self.image is None:
            return QRect()
        available = self.size() * self.devicePixelRatio()
        size = self.image.size()
        factor = min(available.width() // size.width(), available.height() // size.height())
        fitting = size.scaled(available, Qt.AspectRatioMode.KeepAspectRatio)
        whole = size * factor
        rect = QRect(QPoint(), whole if whole.width() >= FILLED * fitting.width() else fitting)
        rect.moveCenter(QRect(QPoint(), available).center())
        return rect

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.image is None:
            return
        ratio = self.devicePixelRatio()
        rect = self.target_rect()
        if self._scaled is None or self._scaled.size() != rect.size():
            self._scaled = QPixmap.fromImage(_enlarged(self.image, rect.size()))
            self._scaled.setDevicePixelRatio(ratio)
        with QPainter(self) as painter:
            painter.drawPixmap(rect.topLeft() / ratio, self._scaled)


def _enlarged(image: QImage, size: QSize) -> QImage:
    exact = Qt.AspectRatioMode.IgnoreAspectRatio
    factor = -(-size.width() // image.width())
    larger = image.scaled(image.size() * factor, exact, Qt.TransformationMode.FastTransformation)
    return larger.scaled(size, exact, Qt.TransformationMode.SmoothTransformation)
