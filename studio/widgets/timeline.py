"""The timeline of a run: scrub, play as a timelapse, or follow it live."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRectF, QSignalBlocker, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractSlider,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from studio import theme

TIMELAPSE = 8000  # milliseconds for a whole run
SLOWEST, FASTEST = 250, 40  # milliseconds for one grid


class Timeline(QWidget):
    """Chooses one of the sample grids of a run; at the newest it is live and goes on with it."""

    step_changed = Signal(int)  # the chosen sample, by hand, by play or live
    went_live = Signal()  # the person wants to see the newest

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._live = True
        self._running = False
        self._scrubber = Scrubber()
        self._scrubber.valueChanged.connect(self._moved)
        self._scrubber.sliderPressed.connect(self._stop)
        self._scrubber.setToolTip(
            self.tr("Go through the run: drag, click, arrows, Page Up and Down, Home, End")
        )
        self._scrubber.setAccessibleName(self.tr("Timeline"))
        self._play = QToolButton()
        self._play.setIcon(theme.icon("play"))
        self._play.setCheckable(True)
        self._play.toggled.connect(self._play_toggled)
        theme.set_role(self._play, "quiet")
        self._play.setToolTip(self.tr("Play the whole run as a timelapse"))
        self._play.setAccessibleName(self.tr("Play timelapse"))
        self._label = QLabel()
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        theme.set_role(self._label, "caption")
        self._live_button = QPushButton(self.tr("Live"))
        self._live_button.setCheckable(True)
        self._live_button.setToolTip(self.tr("Go to the newest samples and stay with them"))
        self._live_button.clicked.connect(self.go_live)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._next)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.SPACING)
        layout.addWidget(self._play)
        layout.addWidget(self._scrubber, 1)
        layout.addWidget(self._label)
        layout.addWidget(self._live_button)
        self._show()

    # ------------------------------------------------------------------ what there is

    def clear(self) -> None:
        self._timer.stop()
        with QSignalBlocker(self._play):
            self._play.setChecked(False)
        self._live = True
        self._scrubber.set_steps([], 0)
        self._show()

    def set_samples(self, steps: Sequence[int], total: int, running: bool) -> None:
        """The steps that have a sample grid, and the step at which the run will end."""
        self._running = running
        before = self.step
        changed = self._scrubber.set_steps(steps, total)
        if changed and steps:
            with QSignalBlocker(self._scrubber):
                self._scrubber.setValue(len(steps) - 1 if self._live else self._index(before))
            if self.step != before or before is None:
                self.step_changed.emit(self.step)
        self._show()

    @property
    def step(self) -> int | None:
        """The step whose samples are chosen."""
        steps = self._scrubber.steps
        return steps[self._scrubber.value()] if steps else None

    @property
    def live(self) -> bool:
        return self._live

    @property
    def playing(self) -> bool:
        return self._timer.isActive()

    # ------------------------------------------------------------------ moving

    def go_to(self, step: int) -> None:
        """Choose the sample nearest to `step`."""
        if self._scrubber.steps:
            self._stop()
            self._scrubber.setValue(self._index(step))

    def go_live(self) -> None:
        self._stop()
        self._live = True
        self._scrubber.setValue(self._scrubber.maximum())
        self._show()
        self.went_live.emit()

    def toggle_play(self) -> None:
        self._play.toggle()

    def _index(self, step: int | None) -> int:
        return self._scrubber.index_of(step or 0)

    def _moved(self, index: int) -> None:
        newest = index == self._scrubber.maximum()
        self._live = newest and not self.playing
        if self.step is not None:
            self.step_changed.emit(self.step)
        self._show()

    def _play_toggled(self, on: bool) -> None:
        if on and len(self._scrubber.steps) > 1:
            if self._scrubber.value() == self._scrubber.maximum():
                self._live = False
                self._scrubber.setValue(0)
            pace = TIMELAPSE // len(self._scrubber.steps)
            self._timer.start(min(max(pace, FASTEST), SLOWEST))
        else:
            self._stop()
        self._show()

    def _next(self) -> None:
        self._scrubber.setValue(self._scrubber.value() + 1)
        if self._scrubber.value() == self._scrubber.maximum():
            self._stop()
            self._live = True
            self._show()

    def _stop(self) -> None:
        self._timer.stop()
        with QSignalBlocker(self._play):
            self._play.setChecked(False)

    # ------------------------------------------------------------------ looks

    def _show(self) -> None:
        steps = self._scrubber.steps
        self._scrubber.setEnabled(len(steps) > 1)
        self._play.setEnabled(len(steps) > 1)
        self._play.setIcon(theme.icon("pause" if self.playing else "play"))
        self._live_button.setEnabled(bool(steps))
        self._live_button.setChecked(self._live)
        self._live_button.setText(self.tr("Live") if self._running else self.tr("Newest"))
        text = "" if self.step is None else self.tr("Step {step}").format(step=f"{self.step:,}")
        self._label.setText(text)
        widest = self.tr("Step {step}").format(step=f"{max(steps, default=0):,}")
        self._label.setMinimumWidth(self._label.fontMetrics().horizontalAdvance(widest))


class Scrubber(QAbstractSlider):
    """A slider over sample grids, drawn at their steps. Its value is an index into `steps`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.steps: list[int] = []
        self._total = 0
        self.setOrientation(Qt.Orientation.Horizontal)
        self.setRange(0, 0)
        self.setPageStep(10)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(240, 4 * theme.SPACING)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, 4 * theme.SPACING)

    def set_steps(self, steps: Sequence[int], total: int) -> bool:
        """Whether anything is different now."""
        if list(steps) == self.steps and total == self._total:
            return False
        self.steps = list(steps)
        self._total = total
        with QSignalBlocker(self):
            self.setRange(0, max(len(self.steps) - 1, 0))
        self.update()
        return True

    def index_of(self, step: float) -> int:
        """The sample nearest to `step`."""
        right = bisect_left(self.steps, step)
        if right == len(self.steps):
            return max(right - 1, 0)
        if right and step - self.steps[right - 1] <= self.steps[right] - step:
            return right - 1
        return right

    # ------------------------------------------------------------------ hand

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.steps:
            self.setSliderDown(True)
            self._drag(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.isSliderDown():
            self._drag(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.setSliderDown(False)

    def _drag(self, event: QMouseEvent) -> None:
        self.setValue(self.index_of(self._step_at(event.position().x())))

    # ------------------------------------------------------------------ paint

    def _track(self) -> QRectF:
        margin = float(theme.SPACING)
        return QRectF(margin, self.height() / 2 - 2, self.width() - 2 * margin, 4)

    def _span(self) -> tuple[float, float]:
        first = self.steps[0] if self.steps else 0
        return float(first), float(max(self._total, first + 1, *self.steps))

    def _x(self, step: float) -> float:
        first, last = self._span()
        return self._track().left() + (step - first) / (last - first) * self._track().width()

    def _step_at(self, x: float) -> float:
        first, last = self._span()
        return first + (x - self._track().left()) / self._track().width() * (last - first)

    def paintEvent(self, event: QPaintEvent) -> None:
        chosen = theme.colors()
        track = self._track()
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            _bar(painter, track, chosen.border)
            if not self.steps:
                return
            here = self._x(self.steps[self.value()])
            done = QRectF(track)
            done.setRight(self._x(self.steps[-1]))
            _bar(painter, done, chosen.muted)
            done.setRight(here)
            _bar(painter, done, chosen.accent if self.isEnabled() else chosen.muted)
            self._paint_ticks(painter, chosen.muted)
            painter.setPen(QPen(chosen.accent_text if self.hasFocus() else chosen.muted, 1.5))
            painter.setBrush(chosen.accent if self.hasFocus() else chosen.raised)
            painter.drawEllipse(QRectF(here - 7, self.height() / 2 - 7, 14, 14))

    def _paint_ticks(self, painter: QPainter, color: QColor) -> None:
        """A tick a sample, as long as they can be told apart."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(color)
        bottom = self._track().bottom() + 4
        last = -3
        for step in self.steps:
            x = round(self._x(step))
            if x - last >= 3:
                painter.drawLine(x, round(bottom), x, round(bottom) + 3)
                last = x
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)

    def focusInEvent(self, event: QEvent) -> None:
        self.update()

    def focusOutEvent(self, event: QEvent) -> None:
        self.update()


def _bar(painter: QPainter, rect: QRectF, color: QColor) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    painter.drawRoundedRect(rect, 2, 2)
