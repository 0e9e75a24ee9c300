"""Icons: the Lucide drawings in `resources/icons`, painted in the colours of the theme."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QByteArray, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QIconEngine, QPainter, QPixmap, QPixmapCache
from PySide6.QtSvg import QSvgRenderer

from engine import folders
from studio.colors import colors

ICONS = folders.RESOURCES / "icons"


def icon(name: str, color: str = "text") -> QIcon:
    """The icon `name`, in the `Colors` field called `color`; it follows a change of theme."""
    drawing(name)  # a wrong name fails here, not at the first paint
    return QIcon(_ThemedEngine(name, color))


def app_icon() -> QIcon:
    """The mark of the studio, in colours of its own."""
    return QIcon(str(ICONS / "atelier.svg"))


@cache
def drawing(name: str) -> str:
    """The SVG text of an icon; raises FileNotFoundError."""
    return (ICONS / f"{name}.svg").read_text(encoding="utf-8")


def icon_pixmap(name: str, color: QColor, size: QSize, scale: float = 1.0) -> QPixmap:
    """The icon `name` in one colour; `size` in device-independent pixels."""
    key = f"{name}/{color.name()}/{size.width()}x{size.height()}@{scale}"
    pixmap = QPixmap()
    if QPixmapCache.find(key, pixmap):
        return pixmap
    pixmap = QPixmap(size * scale)
    pixmap.setDevicePixelRatio(scale)
    pixmap.fill(Qt.GlobalColor.transparent)
    svg = drawing(name).replace("currentColor", color.name())
    side = min(size.width(), size.height())
    square = QRectF((size.width() - side) / 2, (size.height() - side) / 2, side, side)
    with QPainter(pixmap) as painter:
        QSvgRenderer(QByteArray(svg.encode())).render(painter, square)
    QPixmapCache.insert(key, pixmap)
    return pixmap


class _ThemedEngine(QIconEngine):
    """Looks the colour up when it paints, so that icons made once follow the theme."""

    def __init__(self, name: str, color: str) -> None:
        super().__init__()
        self._name = name
        self._color = color

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        scale = painter.device().devicePixelRatio()
        painter.drawPixmap(rect, self.scaledPixmap(rect.size(), mode, state, scale))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        return self.scaledPixmap(size, mode, state, 1.0)

    def scaledPixmap(
        self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float
    ) -> QPixmap:
        color = getattr(colors(), "disabled" if mode == QIcon.Mode.Disabled else self._color)
        return icon_pixmap(self._name, color, size, scale)

    def clone(self) -> QIconEngine:
        return _ThemedEngine(self._name, self._color)
