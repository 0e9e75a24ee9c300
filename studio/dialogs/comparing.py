"""Two language models, or two checkpoints, side by side on the same prompts."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from engine import files, folders
from engine.errors import EngineError, InvalidTask
from engine.events import ComparedModel, ComparedText, Event, Progress
from engine.task import Task
from engine.worker import Engine, Job
from studio.settings import Settings
from studio.theme import SPACING, icon, set_role
from studio.widgets.comparison_table import ComparisonTable
from studio.widgets.elided_label import ElidedLabel
from studio.widgets.error_box import ErrorBox
from studio.widgets.parameter_form import ParameterForm

PARAMETERS = "compare/parameters"


class ComparingDialog(QDialog):
    """Stays beside the window; what is running ends with it."""

    closed = Signal()

    def __init__(
        self, engine: Engine, settings: Settings, compares: type[Task], parent: QWidget
    ) -> None:
        """`compares` is the task, with the fields of compare_language_models."""
        super().__init__(parent)
        self.setWindowTitle(self.tr("Compare two models"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._engine, self._settings = engine, settings
        self._job: Job | None = None
        self._result = ""
        self._table, self._errors, self._status = ComparisonTable(), ErrorBox(), ElidedLabel()
        self.form = ParameterForm(compares)
        self.form.set_values(settings.value(PARAMETERS, {}))
        self.form.undo_stack.clear()
        self._errors.retry.connect(self.compare)
        self._lay_out()
        self._update()

    def compare(self) -> None:
        """Let both write; what is wrong with the form is said under its fields."""
        if self._job:
            return
        self._errors.hide()
        try:
            task = self.form.task()
        except InvalidTask:
            return
        fields = task.to_dict()
        self._settings.set_value(PARAMETERS, self.form.values())
        prompts = [line.strip() for line in fields["prompts"].splitlines() if line.strip()]
        self._table.begin([fields["model"], fields["other_model"]], prompts)
        self._stack.setCurrentWidget(self._table)
        self._result = ""
        self._job = Job(task, folders.outputs())
        self._job.reported.connect(self._hear)
        self._job.changed.connect(self._changed)
        self._engine.submit(self._job)
        self._update()

    def stop(self) -> None:
        if self._job:
            self._job.cancel()

    def copy(self) -> None:
        """All of it as Markdown, to the clipboard."""
        QGuiApplication.clipboard().setText(self._result)
        self._status.setText(self.tr("Copied as Markdown"))

    def reject(self) -> None:
        """Esc stops first, then closes."""
        if self._job:
            self.stop()
        else:
            super().reject()

    def done(self, result: int) -> None:
        self.stop()
        super().done(result)
        self.closed.emit()

    def _hear(self, event: Event) -> None:
        if isinstance(event, ComparedText):
            self._table.show_text(event.model, event.prompt, event.text)
        elif isinstance(event, ComparedModel):
            self._table.show_figures(event)
        elif isinstance(event, Progress):
            count = f" {event.step + 1} / {event.total}" if event.total else ""
            self._status.setText(f"{event.stage}{count}")

    def _changed(self) -> None:
        job = self._job
        if job and job.state.ended:
            self._job = None
            self._status.setText("")
            if isinstance(job.error, EngineError):
                self._explain(job.error)
            elif job.saved:
                self._keep(job)
        self._update()

    def _keep(self, job: Job) -> None:
        try:
            self._result = job.saved[0].read_text(encoding="utf-8")
        except OSError as error:
            self._errors.show_error(files.unreadable(job.saved[0], error), can_retry=False)
        else:
            self._status.setText(self.tr("Kept as {}").format(job.saved[0].name))

    def _explain(self, error: EngineError) -> None:
        self._errors.show_error(error)
        if isinstance(error, InvalidTask):
            self.form.show_error(error.field, error.message)

    def _update(self) -> None:
        running = self._job is not None
        self._go.setVisible(not running)
        self._stop.setVisible(running)
        self._copy.setEnabled(bool(self._result))

    def _lay_out(self) -> None:
        empty = QLabel(self.tr("What both write to your prompts appears here, side by side."))
        empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        set_role(empty, "caption")
        set_role(self._status, "caption")
        self._stack = QStackedWidget()
        self._stack.addWidget(empty)
        self._stack.addWidget(self._table)
        self._go = QPushButton(icon("sparkles", "on_accent"), self.tr("Compare"))
        self._go.setToolTip(self.tr("Let both models write (Ctrl+Enter)"))
        self._go.setShortcut("Ctrl+Return")
        set_role(self._go, "primary")
        self._go.clicked.connect(self.compare)
        self._stop = QPushButton(icon("square", "muted"), self.tr("Stop"))
        self._stop.setToolTip(self.tr("Stop writing and keep what is there (Esc)"))
        self._stop.clicked.connect(self.stop)
        self._copy = QPushButton(icon("copy", "muted"), self.tr("Copy"))
        self._copy.setToolTip(self.tr("Copy all of it as Markdown"))
        self._copy.clicked.connect(self.copy)
        foot = QHBoxLayout()
        foot.addWidget(self._status, 1)
        for button in (self._copy, self._stop, self._go):
            foot.addWidget(button)
        left = QVBoxLayout()
        left.setSpacing(SPACING)
        left.addWidget(self._stack, 1)
        left.addWidget(self._errors)
        left.addLayout(foot)
        self.form.setMinimumWidth(40 * SPACING)
        row = QHBoxLayout(self)
        row.setContentsMargins(3 * SPACING, 2 * SPACING, SPACING, 2 * SPACING)
        row.setSpacing(2 * SPACING)
        row.addLayout(left, 3)
        row.addWidget(self.form, 2)
        self.resize(130 * SPACING, 84 * SPACING)
