"""One plot of live curves: raw values faint, smoothed ones in front, cursor, marks and a legend.

Only this file imports pyqtgraph, which takes half a second: it is loaded with the Train workspace.
"""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from studio import theme
from studio.widgets.curves import Array, Series, decimate, visible
from studio.widgets.dot import Dot

POINTS = 600  # of a thin line; more cannot be told apart
SMOOTH_POINTS = 300  # of a smoothed line, which is antialiased and costs ten times as much
FAINT = 0.3  # how much of its colour the line of the raw values keeps behind the smoothed one
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
        self._curves: dict[str, _Curve] = {}
        heading = QLabel(title)
        theme.set_role(heading, "heading")
        self._legend = QHBoxLayout()
        self._legend.setSpacing(2 * theme.SPACING)
        header = QHBoxLayout()
        header.setContentsMargins(theme.SPACING, 0, theme.SPACING, 0)
        header.addWidget(heading)
        header.addStretch()
        header.addLayout(self._legend)
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
        layout.addLayout(header)
        layout.addWidget(self._note)
        layout.addWidget(self._plot, 1)
        self._restyle()

    def add_curve(self, name: str, label: str, color: str, series: Series) -> None:
        """`color` is the name of a field of `Colors`."""
        curve = _Curve(self._plot, label, color, series)
        self._curves[name] = curve
        self._legend.addWidget(curve.key)
        curve.restyle()

    @property
    def names(self) -> list[str]:
        return list(self._curves)

    def legend_text(self, name: str) -> str:
        return self._curves[name].key.value.text()

    # ------------------------------------------------------------------ drawing

    def redraw(self, low: float, high: float, log_scale: bool) -> None:
        """Draw what lies between the steps `low` and `high`, and fit the y range to it."""
        shown = [curve.redraw(low, high, log_scale) for curve in self._curves.values()]
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
            self.tr("{count} of {label}").format(count=count, label=curve.label)
            for curve in self._curves.values()
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
        for curve in self._curves.values():
            curve.show_value(step)

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
        for curve in self._curves.values():
            curve.restyle()

    def _line(self, style: Qt.PenStyle) -> pg.InfiniteLine:
        line = pg.InfiniteLine(angle=90, movable=False)
        line.setZValue(10)
        line.hide()
        self._plot.plotItem.addItem(line, ignoreBounds=True)
        return line


class _Plot(pg.PlotWidget):  # type: ignore[misc]  # pyqtgraph has no types
    """The pyqtgraph part: drag pans, wheel zooms the steps, click picks one, double-click fits."""

    def __init__(self, pane: CurvePane) -> None:
        super().__init__()
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


class _Curve:
    """A series on the screen: two lines and its place in the legend."""

    def __init__(self, plot: _Plot, label: str, color: str, series: Series) -> None:
        self.label = label
        self.series = series
        self.key = _LegendKey(label, color)
        self._color = color
        self._raw = pg.PlotCurveItem(connect="finite")
        self._front = pg.PlotCurveItem(connect="finite")
        for line in (self._raw, self._front):
            line.setCacheMode(line.CacheMode.DeviceCoordinateCache)  # a moving cursor costs nothing
            plot.addItem(line)

    def restyle(self) -> None:
        color = QColor(getattr(theme.colors(), self._color))
        self._front.setPen(pg.mkPen(color, width=1.5))
        self._raw.setPen(pg.mkPen(_mixed(color, theme.colors().surface, FAINT), width=1))

    def redraw(self, low: float, high: float, log_scale: bool) -> Array:
        """Draw both lines between two steps; returns all y values drawn."""
        part = visible(self.series.steps, low, high)
        x, raw, smoothed = (
            values[part] for values in (self.series.steps, self.series.values, self.series.smoothed)
        )
        if log_scale:
            raw, smoothed = _log(raw), _log(smoothed)
        x_raw, raw = decimate(x, raw, POINTS)
        if self.series.smoothing == 0:
            self._raw.clear()
            self._front.setData(x_raw, raw, antialias=False)
            return raw
        x_smoothed, smoothed = decimate(x, smoothed, SMOOTH_POINTS)
        self._raw.setData(x_raw, raw)
        self._front.setData(x_smoothed, smoothed, antialias=True)
        return np.concatenate((raw, smoothed))

    def not_positive(self) -> int:
        return int(np.count_nonzero(self.series.values <= 0))

    def show_value(self, step: float | None) -> None:
        values = self.series.values
        if step is None:
            value = float(values[-1]) if len(values) else None
        else:
            value = self.series.value_at(step)
        self.key.value.setText("–" if value is None else f"{value:.3g}")


class _LegendKey(QWidget):
    """A dot in the colour of the curve, its name and its value."""

    def __init__(self, label: str, color: str) -> None:
        super().__init__()
        name = QLabel(label)
        name.setTextFormat(Qt.TextFormat.PlainText)
        theme.set_role(name, "caption")
        self.value = QLabel("–")
        self.value.setTextFormat(Qt.TextFormat.PlainText)
        self.value.setMinimumWidth(self.value.fontMetrics().horizontalAdvance("-0.0000"))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.SPACING // 2)
        for widget in (Dot(color), name, self.value):
            layout.addWidget(widget)


def _log(values: Array) -> Array:
    return np.log10(np.where(values > 0, values, np.nan))


def _place(line: pg.InfiniteLine, step: float | None) -> None:
    line.setVisible(step is not None)
    if step is not None:
        line.setValue(step)


def _mixed(color: QColor, ground: QColor, share: float) -> QColor:
    """What `color` looks like on `ground` when it is that transparent; opaque is drawn faster."""
    parts = zip(
        (color.redF(), color.greenF(), color.blueF()),
        (ground.redF(), ground.greenF(), ground.blueF()),
        strict=True,
    )
    return QColor.fromRgbF(*(front * share + back * (1 - share) for front, back in parts))
