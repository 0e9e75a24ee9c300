"""Two language models, or two checkpoints, side by side on the same prompts."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QStackedWidget, QWidget

from engine import files
from engine.events import ComparedModel, ComparedText, Event
from engine.registry import task_class
from engine.task import Task
from engine.worker import Engine, Job
from studio.dialogs.task_dialog import TaskDialog
from studio.settings import Settings
from studio.theme import set_role
from studio.widgets.comparison_table import ComparisonTable

if TYPE_CHECKING:
    from engine.generators.compare_language_models import CompareLanguageModels


class ComparingDialog(TaskDialog):
    def __init__(self, engine: Engine, settings: Settings, parent: QWidget) -> None:
        self._result = ""
        compares = task_class("compare_language_models")
        super().__init__(engine, settings, compares, self.tr("Compare"), parent)
        self.table = ComparisonTable()
        empty = QLabel(self.tr("What both write to your prompts appears here, side by side."))
        empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        set_role(empty, "caption")
        self._stack = QStackedWidget()
        self._stack.addWidget(empty)
        self._stack.addWidget(self.table)
        self.content.addWidget(self._stack)
        self._copy = self.add_button("copy", self.tr("Copy"), self.tr("Copy all of it as Markdown"))
        self._copy.clicked.connect(self.copy)
        self._copy.setEnabled(False)

    def copy(self) -> None:
        """All of it as Markdown, to the clipboard."""
        QGuiApplication.clipboard().setText(self._result)
        self.status.setText(self.tr("Copied as Markdown"))

    def begin(self, task: Task) -> None:
        fields = task.to_dict()
        prompts = cast("CompareLanguageModels", task).asked()
        self.table.begin([fields["model"], fields["other_model"]], prompts)
        self._stack.setCurrentWidget(self.table)
        self._result = ""
        self._copy.setEnabled(False)

    def hear(self, event: Event) -> None:
        if isinstance(event, ComparedText):
            self.table.show_text(event.model, event.prompt, event.text)
        elif isinstance(event, ComparedModel):
            self.table.show_figures(event)

    def finish(self, job: Job) -> None:
        path = job.saved[0]
        try:
            self._result = path.read_text(encoding="utf-8")
        except OSError as error:
            self.errors.show_error(files.unreadable(path, error), can_retry=False)
        else:
            self._copy.setEnabled(True)
            self.status.setText(self.tr("Kept as {}").format(path.name))
