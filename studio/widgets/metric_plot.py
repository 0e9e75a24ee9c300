"""The live curves of a training: panes with one cursor, smoothing, log scale, event marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QEvent, QSignalBlocker, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSlider,
    QSplitter,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from studio import theme
from studio.widgets.curve_pane import CurvePane
from studio.widgets.curves import Array, Series, nearest

REDRAW_EVERY = 100  # milliseconds; more often cannot be followed and costs the other widgets
SMOOTHING = 80  # percent, at first
COLORS = {
    "generator_loss": "generator_curve",
    "discriminator_loss": "discriminator_curve",
    "d_real": "validation_curve",
    "d_fake": "generator_curve",
    "val_loss": "validation_curve",
}
MORE_COLORS = ("train_curve", "discriminator_curve", "validation_curve")


class MetricPlot(QWidget):
    """Curves of any number of named metrics, in panes of what can be compared.

    Losses share a pane, D(x) and D(G(z)) a second; every other metric has one of its own, shown
    when it is chosen in the Metrics menu. Data is added with `extend`, at any rate.
    """

    step_clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._series: dict[str, Series] = {}
        self._panes: dict[str, CurvePane] = {}
        self._marks: dict[int, str] = {}
        self._range = (0.0, 1.0)
        self._cursor: float | None = None
        self._position: int | None = None
        self._timer = QTimer(self, singleShot=True, interval=REDRAW_EVERY)
        self._timer.timeout.connect(self._redraw)
        self._build_tools()
        self._splitter = QSplitter(Qt.Orientation.Vertical)
        self._splitter.setChildrenCollapsible(False)
        empty = QLabel(self.tr("The curves begin with the first steps."))
        empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        theme.set_role(empty, "caption")
        self._pages = QStackedWidget()
        self._pages.addWidget(empty)
        self._pages.addWidget(self._splitter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.SPACING)
        layout.addLayout(self._tools)
        layout.addWidget(self._pages, 1)

    # ------------------------------------------------------------------ data

    def clear(self) -> None:
        """Forget everything: another run, or one that was rewound."""
        for pane in self._panes.values():
            pane.setParent(None)
            pane.deleteLater()
        self._series.clear()
        self._panes.clear()
        self._marks.clear()
        self._menu.clear()
        self._position = self._cursor = None
        self._pages.setCurrentIndex(0)
        self._readout.clear()

    def extend(
        self,
        columns: Mapping[str, tuple[Array, Array]],
        marks: Sequence[tuple[int, str]] = (),
    ) -> None:
        """Add (steps, values) to each named metric, steps rising, and events at steps."""
        for name, (steps, values) in columns.items():
            if name not in self._series:
                self._add_metric(name)
            self._series[name].extend(steps, values)
        self._marks.update(marks)
        if self._series:
            self._pages.setCurrentIndex(1)
        self._schedule()

    def last_value(self, name: str) -> float | None:
        series = self._series.get(name)
        return float(series.values[-1]) if series else None

    @property
    def last_step(self) -> int:
        return max((int(series.steps[-1]) for series in self._series.values() if series), default=0)

    def set_position(self, step: int | None) -> None:
        """Where the timeline stands."""
        self._position = step
        for pane in self._panes.values():
            pane.set_position(step)

    def visible_panes(self) -> list[CurvePane]:
        return [pane for pane in self._panes.values() if not pane.isHidden()]

    def _add_metric(self, name: str) -> None:
        self._series[name] = Series(self.smoothing)
        group, title = self._group(name)
        pane = self._panes.get(group)
        if pane is None:
            pane = self._add_pane(group, title)
        color = COLORS.get(name, MORE_COLORS[len(pane.names) % len(MORE_COLORS)])
        pane.add_curve(name, self._label(name), color, self._series[name])

    def _group(self, name: str) -> tuple[str, str]:
        """The pane a metric belongs to, and its title."""
        if name == "loss" or name.endswith("_loss"):
            return "loss", self.tr("Loss")
        if name in ("d_real", "d_fake"):
            return "d", self.tr("Discriminator")
        return name, self._label(name)

    def _label(self, name: str) -> str:
        return {
            "generator_loss": self.tr("Generator"),
            "discriminator_loss": self.tr("Discriminator"),
            "train_loss": self.tr("Training"),
            "val_loss": self.tr("Held-out"),
            "d_real": self.tr("D(x) real"),
            "d_fake": self.tr("D(G(z)) generated"),
            "steps_per_second": self.tr("Steps per second"),
        }.get(name, name.replace("_", " ").capitalize())

    def _add_pane(self, group: str, title: str) -> CurvePane:
        pane = CurvePane(title)
        pane.hovered.connect(self._hover)
        pane.clicked.connect(self._click)
        pane.range_changed.connect(self._zoomed)
        pane.fit_requested.connect(self._follow_button.click)
        pane.set_position(self._position)
        pane.setVisible(group in ("loss", "d"))
        self._panes[group] = pane
        self._splitter.addWidget(pane)
        action = self._menu.addAction(title)
        action.setCheckable(True)
        action.setChecked(not pane.isHidden())
        action.toggled.connect(pane.setVisible)
        action.toggled.connect(self._schedule)
        return pane

    # ------------------------------------------------------------------ tools

    def _build_tools(self) -> None:
        self._menu = QMenu(self)
        metrics = QPushButton(self.tr("Metrics"))
        metrics.setMenu(self._menu)
        _explain(metrics, self.tr("Choose which measurements are drawn"))
        self._smoothing = QSlider(Qt.Orientation.Horizontal)
        self._smoothing.setRange(0, 99)
        self._smoothing.setValue(SMOOTHING)
        self._smoothing.setMinimumWidth(6 * theme.SPACING)
        self._smoothing.setMaximumWidth(14 * theme.SPACING)
        self._smoothing.valueChanged.connect(self._smooth)
        _explain(
            self._smoothing,
            self.tr(
                "Smoothing: debiased exponential moving average over the steps before. "
                "The measured values stay visible, faint, behind it"
            ),
            self.tr("Smoothing"),
        )
        smoothing_label = QLabel(self.tr("Smoothing"))
        smoothing_label.setBuddy(self._smoothing)
        theme.set_role(smoothing_label, "caption")
        self._log_button = self._toggle(
            self.tr("Log"), self.tr("Logarithmic scale: shows small and large values together")
        )
        self._log_button.toggled.connect(self._schedule)
        self._follow_button = self._toggle(
            self.tr("Follow"),
            self.tr(
                "Show the whole run and keep up with it. Drag or scroll in a plot to look closer"
            ),
        )
        self._follow_button.setChecked(True)
        self._follow_button.toggled.connect(self._schedule)
        self._readout = QLabel()
        self._readout.setTextFormat(Qt.TextFormat.PlainText)
        theme.set_role(self._readout, "caption")
        self._tools = QHBoxLayout()
        self._tools.setContentsMargins(theme.SPACING, 0, theme.SPACING, 0)
        self._tools.setSpacing(theme.SPACING)
        self._tools.addWidget(metrics)
        self._tools.addWidget(smoothing_label)
        self._tools.addWidget(self._smoothing, 1)
        self._tools.addWidget(self._readout, 1)
        self._tools.addStretch()
        self._tools.addWidget(self._log_button)
        self._tools.addWidget(self._follow_button)

    def _toggle(self, text: str, tooltip: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setCheckable(True)
        theme.set_role(button, "quiet")
        _explain(button, tooltip, text)
        return button

    @property
    def smoothing(self) -> float:
        """The weight of the past, 0 (none) to 0.99."""
        return float(self._smoothing.value()) / 100

    def _smooth(self) -> None:
        for series in self._series.values():
            series.smoothing = self.smoothing
        self._schedule()

    # ------------------------------------------------------------------ one cursor

    def _hover(self, step: float | None) -> None:
        self._cursor = None if step is None else self._snapped(step)
        for pane in self.visible_panes():
            pane.set_cursor(self._cursor)
            pane.show_values(self._cursor)
        self._read()

    def _click(self, step: float) -> None:
        snapped = self._snapped(step)
        if snapped is not None:
            self.step_clicked.emit(int(snapped))

    def _snapped(self, step: float) -> float | None:
        """The measured step that is nearest."""
        near = [
            float(series.steps[index])
            for series in self._series.values()
            if (index := nearest(series.steps, step)) is not None
        ]
        return min(near, key=lambda found: abs(found - step), default=None)

    def _read(self) -> None:
        """Name the step under the cursor, and what happened there."""
        if self._cursor is None:
            self._readout.clear()
            return
        text = self.tr("Step {step}").format(step=f"{self._cursor:,.0f}")
        reach = (self._range[1] - self._range[0]) / 100
        near = [s for s in self._marks if abs(s - self._cursor) <= reach]
        if near:
            closest = min(near, key=lambda mark: abs(mark - (self._cursor or 0.0)))
            text += f" · {self._marks[closest]}"
        self._readout.setText(text)

    # ------------------------------------------------------------------ range and drawing

    @property
    def follow(self) -> bool:
        return self._follow_button.isChecked()

    def _zoomed(self, low: float, high: float) -> None:
        self._range = (low, high)
        with QSignalBlocker(self._follow_button):
            self._follow_button.setChecked(False)
        self._schedule()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """+ and - zoom, Shift with an arrow pans, 0 shows the whole run."""
        low, high = self._range
        middle, half = (low + high) / 2, (high - low) / 2
        shift = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        if event.key() in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self._zoomed(middle - half / 1.5, middle + half / 1.5)
        elif event.key() == Qt.Key.Key_Minus:
            self._zoomed(middle - half * 1.5, middle + half * 1.5)
        elif event.key() == Qt.Key.Key_Left and shift:
            self._zoomed(low - half / 4, high - half / 4)
        elif event.key() == Qt.Key.Key_Right and shift:
            self._zoomed(low + half / 4, high + half / 4)
        elif event.key() == Qt.Key.Key_0:
            self._follow_button.setChecked(True)
        else:
            super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._schedule()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_timer"):
            self._schedule()

    def sizeHint(self) -> QSize:
        return QSize(560, 480)

    def _schedule(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _redraw(self) -> None:
        if not self.isVisible() or not self._series:
            return  # showEvent draws what was missed
        if self.follow:
            first = min(float(s.steps[0]) for s in self._series.values() if s)
            self._range = (first, max(float(self.last_step), first + 1))
        panes = self.visible_panes()
        low, high = self._range
        marks = [step for step in self._marks if low <= step <= high]
        for pane in panes:
            pane.set_marks(marks)
            pane.redraw(low, high, self._log_button.isChecked())
            pane.show_values(self._cursor)
            pane.set_steps_shown(pane is panes[-1])


def _explain(widget: QWidget, tooltip: str, name: str = "") -> None:
    widget.setToolTip(tooltip)
    widget.setAccessibleName(name or tooltip)
