"""A film that plays again and again while it is being made: with what is there of it."""

from __future__ import annotations

import bisect

from PySide6.QtCore import QElapsedTimer, QSize, Qt, QTimer
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from studio.theme import SPACING

TICK = 33  # milliseconds between two looks at the clock


class FilmLoop(QWidget):
    """Every frame has its place, 0 the first and 1 the last; each shows until the next one's."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(QSize(24 * SPACING, 24 * SPACING))
        self._places: list[float] = []
        self._frames: dict[float, QImage] = {}
        self._seconds = 1.0
        self._shown = -1
        self._clock = QElapsedTimer()
        self._timer = QTimer(self, interval=TICK)
        self._timer.timeout.connect(self._look)

    @property
    def count(self) -> int:
        return len(self._places)

    @property
    def shown(self) -> int:
        """The number of the frame that is to be seen; -1 where there is none."""
        return self._shown

    def begin(self, seconds: float) -> None:
        """A new film of this length."""
        self._places, self._frames = [], {}
        self._seconds, self._shown = seconds, -1
        self._timer.stop()
        self.update()

    def add(self, place: float, image: QImage) -> None:
        if place not in self._frames:
            bisect.insort(self._places, place)
        self._frames[place] = image
        if not self._timer.isActive():
            self._clock.start()
            self._timer.start()
        self._look()

    def _look(self) -> None:
        """Which frame the clock has come to. Frames take the same time each, as in the film."""
        number = int(self._clock.elapsed() / 1000 / self._seconds * self.count) % self.count
        if number != self._shown:
            self._shown = number
            self.update()

    def hideEvent(self, event: object) -> None:
        self._timer.stop()

    def showEvent(self, event: object) -> None:
        if self._places:
            self._timer.start()

    def paintEvent(self, event: QPaintEvent) -> None:
        if not 0 <= self._shown < self.count:
            return
        image = self._frames[self._places[self._shown]]
        size = image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        left, top = (self.width() - size.width()) // 2, (self.height() - size.height()) // 2
        painter.drawImage(self.rect().adjusted(left, top, -left, -top), image)
