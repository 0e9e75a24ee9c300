"""Asks for images drawn from what a run has learned so far."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QProgressBar, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from engine.errors import EngineError, InvalidTask
from engine.events import Progress
from engine.task import Task
from studio import theme
from studio.widgets.error_box import ErrorBox
from studio.widgets.parameter_form import ParameterForm


class DrawSamples(QWidget):
    """A form for the task that draws from a run; `draw_requested` carries the checked task.

    `samplers` are those tasks, by the name of the trainer of the runs they draw from.
    """

    draw_requested = Signal(object)

    def __init__(self, samplers: Mapping[str, type[Task]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._run: Path | None = None
        self._drawable = False
        self._forms = {
            trainer: ParameterForm(sampler, exclude=("run_folder",))
            for trainer, sampler in samplers.items()
        }
        self._pages = QStackedWidget()
        for form in self._forms.values():
            self._pages.addWidget(form)
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
        layout.addWidget(self._pages, 1)
        layout.addLayout(foot)
        self.set_busy(False)

    @property
    def run(self) -> Path | None:
        """That it draws from."""
        return self._run

    @property
    def form(self) -> ParameterForm:
        """Of the task that draws from the run."""
        form = self._pages.currentWidget()
        assert isinstance(form, ParameterForm)
        return form

    def set_run(self, run: Path, trainer: str, has_weights: bool) -> None:
        """Draw from this run of `trainer`, if it has weights and there is a task for it."""
        if run != self._run:
            self._run = run
            self.errors.hide()
        if trainer in self._forms:
            self._pages.setCurrentWidget(self._forms[trainer])
        self._drawable = has_weights and trainer in self._forms
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
