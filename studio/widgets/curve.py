"""One series drawn in a pane: a smoothed line in front, the measured values faint behind it."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from studio import theme
from studio.widgets.curves import Array, Series, decimate, visible

POINTS = 600  # of a thin line; more cannot be told apart
SMOOTH_POINTS = 300  # of a smoothed line, which is antialiased and costs ten times as much
FAINT = 0.3  # how much of its colour the line of the raw values keeps behind the smoothed one
STYLES = (
    Qt.PenStyle.SolidLine,
    Qt.PenStyle.DashLine,
    Qt.PenStyle.DotLine,
    Qt.PenStyle.DashDotLine,
)
"""Tell metrics apart where the colours tell runs apart."""


class Curve:
    """`color` is the name of a field of `Colors`; `alone` says whether raw values are drawn too."""

    def __init__(
        self,
        plot: pg.PlotWidget,
        series: Series,
        color: str,
        style: Qt.PenStyle = Qt.PenStyle.SolidLine,
        alone: bool = True,
    ) -> None:
        self.series = series
        self._plot = plot
        self._color = color
        self._style = style
        self._alone = alone
        self._raw = pg.PlotCurveItem(connect="finite")
        self._front = pg.PlotCurveItem(connect="finite")
        for line in (self._raw, self._front):
            line.setCacheMode(line.CacheMode.DeviceCoordinateCache)  # a moving cursor costs nothing
            plot.addItem(line)
        self.restyle()

    def set_look(self, color: str, style: Qt.PenStyle) -> None:
        self._color, self._style = color, style
        self.restyle()

    def restyle(self) -> None:
        color = QColor(getattr(theme.colors(), self._color))
        self._front.setPen(pg.mkPen(color, width=1.5, style=self._style))
        self._raw.setPen(pg.mkPen(_mixed(color, theme.colors().surface, FAINT), width=1))

    def remove(self) -> None:
        for line in (self._raw, self._front):
            self._plot.removeItem(line)

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
        self._front.setData(x_smoothed, smoothed, antialias=True)
        if not self._alone:  # the faint lines of several runs would be a fog
            return smoothed
        self._raw.setData(x_raw, raw)
        return np.concatenate((raw, smoothed))

    def not_positive(self) -> int:
        return int(np.count_nonzero(self.series.values <= 0))

    def text_at(self, step: float | None) -> str:
        """The value at `step`, or the newest one."""
        values = self.series.values
        if step is None:
            value = float(values[-1]) if len(values) else None
        else:
            value = self.series.value_at(step)
        return "–" if value is None else f"{value:.3g}"


def _log(values: Array) -> Array:
    return np.log10(np.where(values > 0, values, np.nan))


def _mixed(color: QColor, ground: QColor, share: float) -> QColor:
    """What `color` looks like on `ground` when it is that transparent; opaque is drawn faster."""
    parts = zip(
        (color.redF(), color.greenF(), color.blueF()),
        (ground.redF(), ground.greenF(), ground.blueF()),
        strict=True,
    )
    return QColor.fromRgbF(*(front * share + back * (1 - share) for front, back in parts))
