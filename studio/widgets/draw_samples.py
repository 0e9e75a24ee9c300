"""Draws from what a run has learned so far, and shows the picture in place."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from engine.errors import EngineError, InvalidTask
from engine.task import Progress, Task
from studio import theme
from studio.widgets.error_box import ErrorBox
from studio.widgets.parameter_form import ParameterForm
from studio.widgets.sample_grid import SampleGridView


class DrawSamples(QWidget):
    """A form for the task that draws from a run; `draw_requested` carries the checked task."""

    draw_requested = Signal(object)

    def __init__(self, sampler: type[Task], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._run: Path | None = None
        self._drawn: Path | None = None
        self.form = ParameterForm(sampler, exclude=("run_folder",))
        self.errors = ErrorBox()
        self.errors.retry.connect(self.draw)
        self.picture = SampleGridView(self.tr("What you draw appears here."))
        self.button = QPushButton(theme.icon("sparkles"), self.tr("Draw"))
        self.button.setToolTip(self.tr("Draw new images from the weights of this run"))
        self.button.clicked.connect(self.draw)
        self._open = QPushButton(theme.icon("external-link"), self.tr("Open"))
        self._open.setToolTip(self.tr("Open the picture in the program for its kind"))
        self._open.clicked.connect(self._open_picture)
        self._open.setEnabled(False)
        self._bar = QProgressBar()
        self._bar.setAccessibleName(self.tr("Progress of drawing"))
        self._bar.hide()
        self._lay_out()

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.SPACING)
        buttons.addWidget(self.button, 1)
        buttons.addWidget(self._open)
        lower = QWidget()
        foot = QVBoxLayout(lower)
        foot.setContentsMargins(*(2 * theme.SPACING,) * 4)
        foot.setSpacing(theme.SPACING)
        foot.addLayout(buttons)
        foot.addWidget(self._bar)
        foot.addWidget(self.errors)
        foot.addWidget(self.picture, 1)
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.form)
        splitter.addWidget(lower)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(splitter)

    def set_run(self, run: Path, drawable: bool) -> None:
        """`drawable`: whether the run has weights to draw with."""
        if run != self._run:
            self._run = run
            self.errors.hide()
        self.button.setEnabled(drawable and not self._bar.isVisible())

    def draw(self) -> None:
        self.errors.hide()
        try:
            task = self.form.task(run_folder=str(self._run))
        except InvalidTask:
            return  # the form says it under the field
        self.draw_requested.emit(task)

    def show_progress(self, progress: Progress) -> None:
        self._bar.setRange(0, progress.total or 0)
        self._bar.setValue(progress.step)

    def begin(self) -> None:
        self._bar.setRange(0, 0)
        self._bar.show()
        self.button.setEnabled(False)

    def end(self, drawn: Path | None, caption: str, error: EngineError | None) -> None:
        self._bar.hide()
        self.button.setEnabled(True)
        if error:
            self.errors.show_error(error)
        elif drawn:
            self._drawn = drawn
            self._open.setEnabled(True)
            self.picture.show_sample(drawn, caption)

    def _open_picture(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._drawn)))
