"""One plot of live curves: the curves of one run or of several, cursor, marks and a legend.

pyqtgraph takes half a second to import: it is loaded with the Train workspace.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import cycle

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetricsF, QMouseEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from studio import theme
from studio.widgets.curve import STYLES, Curve
from studio.widgets.curve_legend import LegendKey
from studio.widgets.curves import Series
from studio.widgets.flow_layout import FlowLayout

OWN_COLOR = "run_1"  # of the run that is shown, while others are compared with it
AXIS_WIDTH = 48  # pixels, equal in all panes so that their steps are above one another


class CurvePane(QWidget):
    """A plot of several series over the step. The panes of one MetricPlot share their x range."""

    hovered = Signal(object)  # the step under the mouse as a float, None when it leaves
    clicked = Signal(float)
    range_changed = Signal(float, float)  # by the person, not by the program
    fit_requested = Signal()

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = title
        self._curves: dict[str, Curve] = {}
        self._keys: dict[str, LegendKey] = {}
        self._labels: dict[
            str, tuple[str, str]
        ] = {}  # of each metric: what it is called, its color
        self._others: dict[str, dict[str, Curve]] = {}  # of other runs, by run and metric
        heading = QLabel(title)
        theme.set_role(heading, "heading")
        self._legend = FlowLayout(gap=theme.SPACING)
        self._legend.setContentsMargins(theme.SPACING, 0, theme.SPACING, 0)
        self._legend.addWidget(heading)
        self._note = QLabel()
        self._note.setTextFormat(Qt.TextFormat.PlainText)
        self._note.setContentsMargins(theme.SPACING, 0, theme.SPACING, 0)
        theme.set_role(self._note, "caption")
        self._note.hide()
        self._plot = _Plot(self)
        self._cursor = self._line(Qt.PenStyle.SolidLine)
        self._position = self._line(Qt.PenStyle.SolidLine)
        self._marks = pg.VTickGroup(yrange=[0, 1])
        self._plot.plotItem.addItem(self._marks, ignoreBounds=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.SPACING // 2)
        layout.addLayout(self._legend)
        layout.addWidget(self._note)
        layout.addWidget(self._plot, 1)
        self._restyle()

    def add_curve(self, name: str, label: str, color: str, series: Series) -> None:
        """`color` is the name of a field of `Colors`."""
        key = LegendKey(label, color)
        self._curves[name] = Curve(self._plot, series, color)
        self._keys[name] = key
        self._labels[name] = label, color
        self._legend.addWidget(key)
        self._tell_apart()

    def compare(self, runs: Mapping[str, tuple[str, Mapping[str, Series]]]) -> None:
        """Draw other runs beside: of each, by a name, its colour and its series by metric."""
        for curves in self._others.values():
            for curve in curves.values():
                curve.remove()
        styles = dict(zip(self._curves, cycle(STYLES)))
        self._others = {
            run: {
                name: Curve(self._plot, series[name], color, styles[name], alone=False)
                for name in self._curves
                if name in series
            }
            for run, (color, series) in runs.items()
        }
        for key in self._keys.values():
            key.set_runs({run: color for run, (color, _) in runs.items()})
        self._tell_apart()

    def _tell_apart(self) -> None:
        """Alone, a run has a colour for each metric. Beside others it has one colour, and each
        metric a style of line."""
        for (name, curve), style in zip(self._curves.items(), cycle(STYLES)):
            together = bool(self._others)
            color = OWN_COLOR if together else self._labels[name][1]
            curve.set_look(color, style if together else STYLES[0])
            self._keys[name].set_look(color, style if together else None)

    @property
    def names(self) -> list[str]:
        return list(self._curves)

    def legend_text(self, name: str) -> str:
        return self._keys[name].value.text()

    # ------------------------------------------------------------------ drawing

    def redraw(self, low: float, high: float, log_scale: bool) -> None:
        """Draw what lies between the steps `low` and `high`, and fit the y range to it."""
        shown = [curve.redraw(low, high, log_scale) for curve in self._every_curve()]
        self._plot.getAxis("left").setLogMode(log_scale)
        self._plot.setXRange(low, high, padding=0.0)
        finite = [y[np.isfinite(y)] for y in shown]
        if any(len(y) for y in finite):
            every = np.concatenate(finite)
            bottom, top = float(every.min()), float(every.max())
            margin = (top - bottom) * 0.06 or max(abs(top) * 0.1, 0.1)
            self._plot.setYRange(bottom - margin, top + margin, padding=0.0)
        self._explain(log_scale)

    def _explain(self, log_scale: bool) -> None:
        """Say what a log scale cannot show, instead of leaving it out in silence."""
        hidden = [
            self.tr("{count} of {label}").format(count=count, label=self._labels[name][0])
            for name, curve in self._curves.items()
            if log_scale and (count := curve.not_positive())
        ]
        self._note.setText(
            self.tr("Not on a log scale, because zero or below: {values}").format(
                values=", ".join(hidden)
            )
        )
        self._note.setVisible(bool(hidden))

    def show_values(self, step: float | None) -> None:
        """The legend reads the values at `step`, or the newest ones."""
        for name, curve in self._curves.items():
            self._keys[name].show_value(curve.text_at(step))
        for run, curves in self._others.items():
            for name, curve in curves.items():
                self._keys[name].show_value(curve.text_at(step), run)

    def _every_curve(self) -> Iterator[Curve]:
        yield from self._curves.values()
        for curves in self._others.values():
            yield from curves.values()

    def set_cursor(self, step: float | None) -> None:
        _place(self._cursor, step)

    def set_position(self, step: float | None) -> None:
        _place(self._position, step)

    def set_marks(self, steps: list[int]) -> None:
        self._marks.setXVals(steps)
        self._marks.update()

    def set_steps_shown(self, shown: bool) -> None:
        """Only the lowest pane names the steps."""
        axis = self._plot.getAxis("bottom")
        axis.setStyle(showValues=shown)
        axis.setHeight(None if shown else 4)

    # ------------------------------------------------------------------ looks

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self._restyle()
        super().changeEvent(event)

    def _restyle(self) -> None:
        if not hasattr(self, "_marks"):
            return  # a change of palette while the widget is being made
        chosen = theme.colors()
        self._plot.setBackground(chosen.surface)
        for side in ("left", "bottom"):
            axis = self._plot.getAxis(side)
            axis.setPen(chosen.border)
            axis.setTextPen(chosen.muted)
            axis.setTickPen(chosen.border)
            axis.setTickFont(self.font())
        self._cursor.setPen(pg.mkPen(chosen.muted, width=1))
        self._position.setPen(pg.mkPen(chosen.accent_text, width=1.5))
        self._marks.setPen(pg.mkPen(chosen.warning, width=1, style=Qt.PenStyle.DotLine))
        for curve in self._every_curve():
            curve.restyle()
        for key in self._keys.values():
            key.restyle()

    def _line(self, style: Qt.PenStyle) -> pg.InfiniteLine:
        line = pg.InfiniteLine(angle=90, movable=False)
        line.setZValue(10)
        line.hide()
        self._plot.plotItem.addItem(line, ignoreBounds=True)
        return line


class _LeftAxis(pg.AxisItem):  # type: ignore[misc]
    """Its numbers keep a line apart, where a low pane or a large text leaves no room for more."""

    def tickSpacing(self, low: float, high: float, size: float) -> list[tuple[float, float]]:
        (largest, offset), *rest = super().tickSpacing(low, high, size) or [(0.0, 0.0)]
        needed = QFontMetricsF(self.style["tickFont"] or QFont()).height() * (high - low) / size
        while 0 < largest < needed:
            largest *= 2
        return [(largest, offset), *rest] if largest else []


class _Plot(pg.PlotWidget):  # type: ignore[misc]  # pyqtgraph has no types
    """The pyqtgraph part: drag pans, wheel zooms the steps, click picks one, double-click fits."""

    def __init__(self, pane: CurvePane) -> None:
        super().__init__(axisItems={"left": _LeftAxis("left")})
        self._pane = pane
        self.setAccessibleName(pane.title)
        self.setMinimumHeight(80)
        self.setMenuEnabled(False)
        self.hideButtons()
        self.setMouseEnabled(x=True, y=False)
        self.disableAutoRange()
        self.showGrid(x=False, y=True, alpha=0.5)
        self.getAxis("left").setWidth(AXIS_WIDTH)
        for side in ("left", "bottom"):
            self.getAxis(side).enableAutoSIPrefix(False)
            self.getAxis(side).setStyle(maxTickLevel=0, tickLength=0)
        self.setViewportUpdateMode(self.ViewportUpdateMode.MinimalViewportUpdate)
        self.getViewBox().sigRangeChangedManually.connect(self._moved)
        self.scene().sigMouseClicked.connect(self._pressed)

    def sizeHint(self) -> QSize:
        return QSize(320, 160)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        position = self.mapToScene(event.position().toPoint())
        inside = self.getViewBox().sceneBoundingRect().contains(position)
        self._pane.hovered.emit(self._step_at(position) if inside else None)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._pane.hovered.emit(None)

    def _step_at(self, position: QPointF) -> float:
        return float(self.getViewBox().mapSceneToView(position).x())

    def _moved(self) -> None:
        low, high = self.getViewBox().viewRange()[0]
        self._pane.range_changed.emit(low, high)

    def _pressed(self, event: pg.GraphicsScene.mouseEvents.MouseClickEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        if event.double():
            self._pane.fit_requested.emit()
        else:
            self._pane.clicked.emit(self._step_at(event.scenePos()))


def _place(line: pg.InfiniteLine, step: float | None) -> None:
    line.setVisible(step is not None)
    if step is not None:
        line.setValue(step)
