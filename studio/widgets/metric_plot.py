"""The live curves of a training: panes with one cursor, smoothing, log scale, event marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import (
    QLabel,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from studio import theme
from studio.widgets import metric_names
from studio.widgets.compared_runs import ComparedRuns
from studio.widgets.curve_pane import CurvePane
from studio.widgets.curves import Array, Series, nearest
from studio.widgets.plot_tools import PlotTools

REDRAW_EVERY = 100  # milliseconds; more often cannot be followed and costs the other widgets


class MetricPlot(QWidget):
    """Curves of any number of named metrics, in panes of what can be compared.

    Losses share a pane, D(x) and D(G(z)) a second; every other metric has one of its own, shown
    when it is chosen in the Metrics menu. Data is added with `extend`, at any rate.
    """

    step_clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._series: dict[str, Series] = {}
        self._titles: dict[str, str] = {}  # of the panes on the menu
        self._panes: dict[str, CurvePane] = {}
        self._marks: dict[int, str] = {}
        self._range = (0.0, 1.0)
        self._cursor: float | None = None
        self._position: int | None = None
        self._waiting: list[CurvePane] = []  # to be redrawn
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._redraw_next)
        self.tools = PlotTools()
        self.tools.changed.connect(self._schedule)
        self.tools.smoothing_changed.connect(self._smooth)
        self.tools.fit_requested.connect(self._fit)
        self.compared = ComparedRuns()
        self.compared.changed.connect(self._compare)
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
        layout.addWidget(self.tools)
        layout.addWidget(self.compared)
        layout.addWidget(self._pages, 1)

    # ------------------------------------------------------------------ data

    def clear(self) -> None:
        """Forget everything: another run, or one that was rewound."""
        for pane in self._panes.values():
            pane.setParent(None)
            pane.deleteLater()
        self._series.clear()
        self._panes.clear()
        self._titles.clear()
        self._waiting.clear()
        self._timer.stop()
        self._marks.clear()
        self.tools.clear()
        self._position = self._cursor = None
        self._pages.setCurrentIndex(0)

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
        self._series[name] = Series(self.tools.smoothing)
        group, title = metric_names.group(name)
        if group not in self._titles:
            self._offer(group, title)
        if group in self._panes:
            self._add_curve(group, name)

    def _offer(self, group: str, title: str) -> None:
        """Put a pane on the menu. It is built when it is shown: each takes 15 ms to build."""
        shown = group in metric_names.SHOWN_AT_FIRST
        self._titles[group] = title
        action = self.tools.add_metric(title, shown)
        action.toggled.connect(lambda on, group=group: self._show_pane(group, on))
        if shown:
            self._add_pane(group)

    def _show_pane(self, group: str, on: bool) -> None:
        if on and group not in self._panes:
            self._add_pane(group)
            for name in self._series:
                if metric_names.group(name)[0] == group:
                    self._add_curve(group, name)
        self._panes[group].setVisible(on)
        self._schedule()

    def _add_curve(self, group: str, name: str) -> None:
        pane = self._panes[group]
        color = metric_names.color(name, len(pane.names))
        pane.add_curve(name, metric_names.label(name), color, self._series[name])
        self._compare_in(pane)

    def extend_compared(
        self, key: str, columns: Mapping[str, tuple[Array, Array]], *, afresh: bool = False
    ) -> None:
        """The same as `extend` for a run that is compared with the one that is shown."""
        self.compared.extend(key, columns, self.tools.smoothing, afresh=afresh)
        self._schedule()

    def _compare(self) -> None:
        for pane in self._panes.values():
            self._compare_in(pane)
        self._schedule()

    def _compare_in(self, pane: CurvePane) -> None:
        pane.compare({key: (run.color, run.series) for key, run in self.compared.runs.items()})

    def _add_pane(self, group: str) -> None:
        pane = CurvePane(self._titles[group])
        pane.hovered.connect(self._hover)
        pane.clicked.connect(self._click)
        pane.range_changed.connect(self._zoomed)
        pane.fit_requested.connect(self._fit)
        pane.set_position(self._position)
        self._panes[group] = pane
        self._splitter.addWidget(pane)

    def _smooth(self) -> None:
        for series in self._every_series():
            series.smoothing = self.tools.smoothing
        self._schedule()

    def _every_series(self) -> list[Series]:
        return [*self._series.values(), *self.compared.every_series()]

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
            for series in self._every_series()
            if (index := nearest(series.steps, step)) is not None
        ]
        return min(near, key=lambda found: abs(found - step), default=None)

    def _read(self) -> None:
        """Name the step under the cursor, and what happened there."""
        if self._cursor is None:
            self.tools.read("")
            return
        text = self.tr("Step {step}").format(step=f"{self._cursor:,.0f}")
        reach = (self._range[1] - self._range[0]) / 100
        near = [s for s in self._marks if abs(s - self._cursor) <= reach]
        if near:
            closest = min(near, key=lambda mark: abs(mark - (self._cursor or 0.0)))
            text += f" · {self._marks[closest]}"
        self.tools.read(text)

    # ------------------------------------------------------------------ range and drawing

    def _zoomed(self, low: float, high: float) -> None:
        self._range = (low, high)
        self.tools.set_follow(False)
        self._schedule()

    def _fit(self) -> None:
        self.tools.set_follow(True)
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
            self._fit()
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
        panes = self.visible_panes() if self.isVisible() else []  # showEvent draws what is missed
        self._waiting += [pane for pane in panes if pane not in self._waiting]
        if self._waiting and not self._timer.isActive():
            self._start_timer()

    def _redraw_next(self) -> None:
        """Panes take turns, so that the window is never busy for longer than one takes."""
        pane = self._waiting.pop(0)
        if pane.isVisible():
            self._redraw(pane)
        if self._waiting:
            self._start_timer()

    def _start_timer(self) -> None:
        self._timer.start(REDRAW_EVERY // max(len(self.visible_panes()), 1))

    def _redraw(self, pane: CurvePane) -> None:
        if self.tools.follow:
            measured = [series.steps for series in self._every_series() if series]
            first = min(float(steps[0]) for steps in measured)
            self._range = (first, max(first + 1, *(float(steps[-1]) for steps in measured)))
        low, high = self._range
        pane.set_marks([step for step in self._marks if low <= step <= high])
        pane.redraw(low, high, self.tools.log_scale)
        pane.show_values(self._cursor)
        pane.set_steps_shown(pane is self.visible_panes()[-1])
