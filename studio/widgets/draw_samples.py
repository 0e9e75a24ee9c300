"""Asks for images drawn from what a run has learned so far."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QProgressBar, QPushButton, QVBoxLayout, QWidget

from engine.errors import EngineError, InvalidTask
from engine.task import Progress, Task
from studio import theme
from studio.widgets.error_box import ErrorBox
from studio.widgets.parameter_form import ParameterForm


class DrawSamples(QWidget):
    """A form for the task that draws from a run; `draw_requested` carries the checked task."""

    draw_requested = Signal(object)

    def __init__(self, sampler: type[Task], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._run: Path | None = None
        self._drawable = False
        self.form = ParameterForm(sampler, exclude=("run_folder",))
        self.errors = ErrorBox()
        self.errors.retry.connect(self.draw)
        self.button = QPushButton(theme.icon("sparkles"), self.tr("Draw"))
        self.button.setToolTip(self.tr("Draw new images with what this run has learned"))
        self.button.clicked.connect(self.draw)
        self._bar = QProgressBar()
        self._bar.setAccessibleName(self.tr("Progress of drawing"))
        foot = QVBoxLayout()
        foot.setContentsMargins(2 * theme.SPACING, theme.SPACING, *(2 * theme.SPACING,) * 2)
        foot.setSpacing(theme.SPACING)
        for widget in (self.errors, self._bar, self.button):
            foot.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.form, 1)
        layout.addLayout(foot)
        self.set_busy(False)

    def set_run(self, run: Path, drawable: bool) -> None:
        """`drawable`: whether the run has weights to draw with."""
        if run != self._run:
            self._run = run
            self.errors.hide()
        self._drawable = drawable
        self.set_busy(self._busy)

    def draw(self) -> None:
        self.errors.hide()
        try:
            task = self.form.task(run_folder=str(self._run))
        except InvalidTask:
            return  # the form says it under the field
        self.draw_requested.emit(task)

    def set_busy(self, busy: bool) -> None:
        self._busy = busy
        self._bar.setRange(0, 0)
        self._bar.setVisible(busy)
        self.button.setEnabled(self._drawable and not busy)

    def show_progress(self, progress: Progress) -> None:
        self._bar.setRange(0, progress.total or 0)
        self._bar.setValue(progress.step)

    def show_error(self, error: EngineError) -> None:
        self.errors.show_error(error)
