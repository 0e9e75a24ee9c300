"""What dialogs share that run one task: its form at the right, what comes of it at the left."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from engine import amounts, folders
from engine.errors import EngineError, InvalidTask
from engine.events import Event, Progress
from engine.task import Task
from engine.worker import Engine, Job
from studio.model_look import ModelLook
from studio.settings import Settings
from studio.theme import SPACING, icon, set_role
from studio.widgets.elided_label import ElidedLabel
from studio.widgets.error_box import ErrorBox
from studio.widgets.parameter_form import ParameterForm

FORM_WIDTH = 40 * SPACING


class TaskDialog(QDialog):
    """Stays beside the window; what is running ends with it. Its parameters are remembered.

    A subclass lays out `content`, and says what it shows in `begin`, `hear` and `finish`.
    """

    closed = Signal()

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        task: type[Task],
        go: str,
        parent: QWidget,
        exclude: Iterable[str] = (),
    ) -> None:
        """`go` is the word on the button; `exclude` names fields that the form leaves out."""
        super().__init__(parent)
        self.setWindowTitle(task.title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._engine, self._settings = engine, settings
        self._kept_as = f"{task.name()}/parameters"
        self._job: Job | None = None
        self.errors, self.status = ErrorBox(), ElidedLabel()
        self.form = ParameterForm(task, exclude=exclude)
        self.form.set_values(settings.value(self._kept_as, {}))
        self.form.undo_stack.clear()
        if "model" in self.form.values():
            ModelLook(engine, self.form, self)
        self.errors.retry.connect(self.start)
        self.content = QVBoxLayout()
        self.buttons = QHBoxLayout()
        self._lay_out(go)
        self._update()

    @property
    def running(self) -> bool:
        return self._job is not None

    def start(self) -> None:
        """Run the task; what is wrong with the form is said under its fields."""
        if self._job:
            return
        self.errors.hide()
        try:
            task = self.form.task(**self.further_fields())
        except InvalidTask as error:
            if error.field in self.further_fields():
                self.errors.show_error(error, can_retry=False)
            return
        self._settings.set_value(self._kept_as, self.form.values())
        self.begin(task)
        self._job = Job(task, folders.outputs())
        self._job.reported.connect(self._hear)
        self._job.changed.connect(self._changed)
        self._engine.submit(self._job)
        self._update()

    def stop(self) -> None:
        if self._job:
            self._job.cancel()

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

    # ------------------------------------------------------------------ what a subclass says

    def further_fields(self) -> dict[str, object]:
        """Fields of the task that are not in the form."""
        return {}

    def begin(self, task: Task) -> None:
        """The task is about to run."""

    def progress_text(self, event: Progress) -> str:
        step = event.step if event.unit == "bytes" else event.step + 1  # the one that is made now
        return f"{event.stage} {amounts.progress_told(event, step)}".rstrip()

    def hear(self, event: Event) -> None:
        """The task tells something other than its progress."""

    def finish(self, job: Job) -> None:
        """It has saved what it made."""

    # ------------------------------------------------------------------

    def _hear(self, event: Event) -> None:
        if isinstance(event, Progress):
            self.status.setText(self.progress_text(event))
        else:
            self.hear(event)

    def _changed(self) -> None:
        job = self._job
        if job and job.state.ended:
            self._job = None
            self.status.setText("")
            if isinstance(job.error, EngineError):
                self._explain(job.error)
            elif job.saved:
                self.finish(job)
        self._update()

    def _explain(self, error: EngineError) -> None:
        self.errors.show_error(error)
        if isinstance(error, InvalidTask):
            self.form.show_error(error.field, error.message)

    def _update(self) -> None:
        self._go.setVisible(not self.running)
        self._stop.setVisible(self.running)

    def _lay_out(self, go: str) -> None:
        set_role(self.status, "caption")
        self._go = QPushButton(icon("sparkles", "on_accent"), go)
        self._go.setToolTip(self.tr("{} (Ctrl+Enter)").format(go))
        self._go.setShortcut("Ctrl+Return")
        self._go.setAutoDefault(False)  # Enter belongs to who types
        set_role(self._go, "primary")
        self._go.clicked.connect(self.start)
        self._stop = QPushButton(icon("square", "muted"), self.tr("Stop"))
        self._stop.setToolTip(self.tr("Stop, and keep what is there (Esc)"))
        self._stop.setAutoDefault(False)
        self._stop.clicked.connect(self.stop)
        foot = QHBoxLayout()
        foot.addWidget(self.status, 1)
        foot.addLayout(self.buttons)
        foot.addWidget(self._stop)
        foot.addWidget(self._go)
        left = QVBoxLayout()
        left.setSpacing(SPACING)
        left.addLayout(self.content, 1)
        left.addWidget(self.errors)
        left.addLayout(foot)
        self.form.setMinimumWidth(FORM_WIDTH)
        row = QHBoxLayout(self)
        row.setContentsMargins(3 * SPACING, 2 * SPACING, SPACING, 2 * SPACING)
        row.setSpacing(2 * SPACING)
        row.addLayout(left, 3)
        row.addWidget(self.form, 2)
        self.resize(130 * SPACING, 84 * SPACING)

    def add_button(self, icon_name: str, text: str, tip: str) -> QPushButton:
        """One more, before the one that starts."""
        button = QPushButton(icon(icon_name, "muted"), text)
        button.setToolTip(tip)
        button.setAutoDefault(False)
        self.buttons.addWidget(button)
        return button
