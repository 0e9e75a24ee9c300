"""A model is taken in: what it is and needs is said, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QLabel, QWidget

from engine.events import Event, ModelFacts
from engine.registry import task_class
from engine.task import Task
from engine.worker import Engine, Job
from studio.dialogs.task_dialog import TaskDialog
from studio.settings import Settings
from studio.theme import SPACING, set_role
from studio.widgets.model_page import USED_IN, FactRows, usage

WIDTH, HEIGHT = 56, 28
"""In lines of text."""
MOST_OF_THE_SCREEN = 0.9


class AddingDialog(TaskDialog):
    """`use_requested` carries the workspace and what its form is to show."""

    use_requested = Signal(str, object)

    def __init__(self, engine: Engine, settings: Settings, path: Path, parent: QWidget) -> None:
        adds = task_class("add_model")
        super().__init__(engine, settings, adds, self.tr("Add"), parent)
        # What one model needed says nothing about the next.
        usual = {field.name: field.default for field in adds.fields() if field.has_default}
        self.form.set_values({**usual, "path": str(path) if path.name else ""})
        self.form.undo_stack.clear()
        self._facts: ModelFacts | None = None
        self._hint = QLabel(
            self.tr(
                "Choose a model, or drop it on the window. Atelier looks inside to see what it is, "
                "runs nothing of it, and copies it to its own models. A Stable Diffusion in one "
                "file becomes a folder of diffusers there. The original stays as it is."
            )
        )
        self._hint.setWordWrap(True)
        set_role(self._hint, "caption")
        self._rows = FactRows()
        self.content.addWidget(self._hint)
        self.content.addSpacing(2 * SPACING)
        self.content.addLayout(self._rows)
        self.content.addStretch(1)
        self._use = self.add_button("check", self.tr("Use it"), self.tr("Choose it where it works"))
        self._use.clicked.connect(self._ask_for_use)
        self._use.setEnabled(False)
        self.ensurePolished()  # what is told takes the more room, the larger the text is
        line = self.fontMetrics().lineSpacing()
        room = self.screen().availableSize() * MOST_OF_THE_SCREEN
        self.resize(QSize(WIDTH * line, HEIGHT * line).boundedTo(room))

    def begin(self, task: Task) -> None:
        self._use.setEnabled(False)
        self._rows.show_facts(None)

    def hear(self, event: Event) -> None:
        if isinstance(event, ModelFacts):
            self._facts = event
            self._rows.show_facts(event)

    def finish(self, job: Job) -> None:
        self.status.setText(self.tr("It is in the lists of models now."))
        self._use.setEnabled(self._facts is not None and self._facts.kind in USED_IN)

    def told(self) -> list[str]:
        """What is shown of the model."""
        labels = self.findChildren(QLabel)
        return [label.text() for label in labels if label is not self._hint]

    def _ask_for_use(self) -> None:
        if self._facts is not None:
            self.use_requested.emit(*usage(self._facts))
            self.close()
