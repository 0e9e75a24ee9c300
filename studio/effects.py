"""Effects in Create: every task that makes a picture of a picture, offered in a dock."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtGui import QUndoStack
from PySide6.QtWidgets import QDockWidget

from engine import registry
from engine.errors import InvalidTask
from engine.task import Task
from studio.actions import Command
from studio.finished_pictures import FinishedPictures
from studio.settings import Settings
from studio.widgets.effect_desk import IMAGE, EffectDesk

VALUES = "create/effects"
CHOSEN = "create/effect"
ELSEWHERE = ("export_image",)
"""Tasks that have a place of their own in Create."""


class Effects(QObject):
    """The forms are built when they are first looked at, so that the workspace opens at once."""

    def __init__(
        self,
        finished: FinishedPictures,
        settings: Settings,
        undo_stack: QUndoStack,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._finished = finished
        self._settings = settings
        self._undo_stack = undo_stack
        self._desk: EffectDesk | None = None
        self.dock = QDockWidget(self.tr("Effects"))
        self.dock.setObjectName("create_effects")
        self.dock.hide()
        self.dock.visibilityChanged.connect(self._be_ready)

    def actions_table(self) -> list[Command]:
        tr = self.tr
        return [
            Command(
                "create_enlarge",
                tr("Enlarge ×4"),
                "Ctrl+Shift+U",
                "scaling",
                lambda: self.apply("upscale"),
            ),
            Command("create_effects", tr("Effects…"), "Ctrl+Shift+F", "wand-sparkles", self.ask),
        ]

    def ask(self) -> None:
        """Open the forms."""
        desk = self.desk()
        self.dock.show()
        self.dock.raise_()
        desk.setFocus()

    def apply(self, name: str) -> None:
        """Do it to the marked pictures or to the one on the canvas, with the settings of last."""
        self._finished.work(name, self._values(name))

    def desk(self) -> EffectDesk:
        if self._desk is None:
            self._desk = EffectDesk(_tasks(), self._undo_stack)
            self._desk.show_values(self._settings.value(VALUES, {}))
            self._desk.choose(self._settings.value(CHOSEN, "upscale"))
            self._desk.wanted.connect(self.apply)
            self._desk.changed.connect(self._keep)
            self.dock.setWidget(self._desk)
        return self._desk

    def takes(self, task: Task) -> bool:
        """Whether it is one of those that are offered here."""
        return task.name() in self.desk().forms

    def show_error(self, task: Task, error: InvalidTask) -> None:
        """Under the field it is about."""
        self.desk().choose(task.name())
        self.desk().forms[task.name()].show_error(error.field, error.message)

    def _values(self, name: str) -> dict[str, Any]:
        """Those set in the form; before it was ever opened, those of last time."""
        if self._desk is not None:
            return self._desk.forms[name].values()
        settings: dict[str, dict[str, Any]] = self._settings.value(VALUES, {})
        kept = settings.get(name, {})
        known = {field.name for field in registry.task_class(name).fields()} - {IMAGE}
        return {key: value for key, value in kept.items() if key in known}

    def _be_ready(self, shown: bool) -> None:
        if shown:
            self.desk()

    def _keep(self) -> None:
        if self._desk is not None:
            self._settings.set_value(VALUES, self._desk.values())
            self._settings.set_value(CHOSEN, self._desk.current)


def _tasks() -> list[type[Task]]:
    """Those with a picture and without a prompt: what is drawn anew, the canvas asks for."""
    tasks = [registry.task_class(name) for name in registry.task_names()]
    return [
        task
        for task in tasks
        if not registry.is_training(task)
        and task.name() not in ELSEWHERE
        and IMAGE in (names := {field.name for field in task.fields()})
        and "prompt" not in names
    ]
