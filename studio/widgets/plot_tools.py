"""The tools above the curves: which metrics, how smooth, log scale, follow."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSlider,
    QToolButton,
    QWidget,
)

from studio import theme

SMOOTHING = 80  # percent, at first


class PlotTools(QWidget):
    """Holds the settings of a MetricPlot and says when one changed."""

    smoothing_changed = Signal()
    changed = Signal()
    fit_requested = Signal()  # the whole run again

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._menu = QMenu(self)
        metrics = QPushButton(self.tr("Metrics"))
        metrics.setMenu(self._menu)
        metrics.setToolTip(self.tr("Choose which measurements are drawn"))
        self._smoothing = self._new_slider()
        caption = QLabel(self.tr("Smoothing"))
        caption.setBuddy(self._smoothing)
        theme.set_role(caption, "caption")
        self._log = self._toggle(
            self.tr("Log"), self.tr("Logarithmic scale: shows small and large values together")
        )
        self._follow = self._toggle(
            self.tr("Follow"),
            self.tr("Show the whole run and keep up. Drag or scroll in a plot to look closer"),
        )
        self._follow.setChecked(True)
        self._reset = QToolButton()
        self._reset.setIcon(theme.icon("maximize"))
        self._reset.setToolTip(
            self.tr("Reset zoom: show the whole run again, as a double-click in a plot or 0 does")
        )
        self._reset.setAccessibleName(self.tr("Reset zoom"))
        self._reset.setEnabled(False)
        theme.set_role(self._reset, "quiet")
        self._reset.clicked.connect(self.fit_requested)
        self._follow.toggled.connect(self._show_reset)
        self._readout = QLabel()
        self._readout.setTextFormat(Qt.TextFormat.PlainText)
        theme.set_role(self._readout, "caption")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.SPACING, 0, theme.SPACING, 0)
        layout.setSpacing(theme.SPACING)
        layout.addWidget(metrics)
        layout.addWidget(caption)
        layout.addWidget(self._smoothing, 1)
        layout.addWidget(self._readout, 1)
        layout.addStretch()
        layout.addWidget(self._log)
        layout.addWidget(self._reset)
        layout.addWidget(self._follow)

    @property
    def smoothing(self) -> float:
        """The weight of the past, 0 (none) to 0.99."""
        return float(self._smoothing.value()) / 100

    @property
    def log_scale(self) -> bool:
        return self._log.isChecked()

    @property
    def follow(self) -> bool:
        return self._follow.isChecked()

    def set_follow(self, follow: bool) -> None:
        """Without a signal when the person has just moved the plot."""
        with QSignalBlocker(self._follow):
            self._follow.setChecked(follow)
        self._show_reset()

    def read(self, text: str) -> None:
        """What there is under the cursor."""
        self._readout.setText(text)

    def add_metric(self, title: str, shown: bool) -> QAction:
        action = self._menu.addAction(title)
        action.setCheckable(True)
        action.setChecked(shown)
        return action

    def clear(self) -> None:
        for action in self._menu.actions():  # QMenu.clear() drops one Python reference too many
            self._menu.removeAction(action)
            action.deleteLater()
        self._readout.clear()

    def _show_reset(self) -> None:
        """There is something to go back from."""
        self._reset.setEnabled(not self._follow.isChecked())

    def _new_slider(self) -> QSlider:
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(0, 99)
        slider.setValue(SMOOTHING)
        slider.setMinimumWidth(6 * theme.SPACING)
        slider.setMaximumWidth(14 * theme.SPACING)
        slider.setAccessibleName(self.tr("Smoothing"))
        slider.setToolTip(
            self.tr(
                "Smoothing: debiased exponential moving average over the steps before. "
                "The measured values stay visible, faint, behind it"
            )
        )
        slider.valueChanged.connect(self.smoothing_changed)
        return slider

    def _toggle(self, text: str, tooltip: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setCheckable(True)
        button.setToolTip(tooltip)
        button.setAccessibleName(text)
        button.toggled.connect(self.changed)
        theme.set_role(button, "quiet")
        return button
