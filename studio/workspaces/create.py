"""Create: the canvas in the middle, the prompt under it, parameters and layers at the right."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QCloseEvent, QUndoStack
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabWidget

from engine.errors import EngineError, InvalidTask
from engine.registry import task_class
from engine.task import Task
from engine.worker import Engine, Job
from studio import create_menu
from studio.actions import Command, add_actions, group_actions
from studio.canvas.document import Document
from studio.drawing import Drawing
from studio.effects import Effects
from studio.finished_pictures import FinishedPictures
from studio.generating import Generating
from studio.model_look import ModelLook
from studio.morphing import Morphing
from studio.opening import Opening
from studio.prompting import Prompting
from studio.requests import Meaning, button_text, button_tip
from studio.reusing import PROMPTS, Reusing
from studio.scenes import Origins
from studio.sessions import Sessions
from studio.settings import Settings
from studio.staging import Staging
from studio.sticker_sheets import StickerSheets
from studio.undoing import Undoing
from studio.widgets.easel import Easel
from studio.widgets.parameter_form import ParameterForm
from studio.widgets.tabbed_docks import TabbedDocks
from studio.workbench import Workbench

REQUEST = "create/request"
HISTORY = "create/history"
NOT_IN_THE_FORM = (*PROMPTS, "image", "mask", "strength", "left", "top", "right", "bottom")
"""What is said elsewhere: in words, by the slider, on the canvas."""
MOST_STEPS = 300
"""Of undo. Old pixels go to a file, but layers and settings of old steps stay in memory."""
FIRST_SIZE = QSize(512, 512)
"""Of the canvas before there is anything on it."""


class CreateWorkspace(QMainWindow):
    """A person says what to draw, watches it appear, and works on with what they like."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        draws: Mapping[Meaning, type[Task]] | None = None,
    ) -> None:
        super().__init__()
        self._draws = draws or {meaning: task_class(meaning.value) for meaning in Meaning}
        self._settings = settings
        self.undo_stack = QUndoStack(self)
        self.undo_stack.setUndoLimit(MOST_STEPS)
        self.document = Document(FIRST_SIZE, self.undo_stack, self)
        self.easel = Easel(self.document)
        self.drawing = Drawing(engine, self)
        origins = Origins()
        self.staging = Staging(self.easel.canvas, self.undo_stack, origins, self)
        self.generating = Generating(self._draws, self.staging, self.drawing, origins, self)
        self.form = ParameterForm(
            self._draws[Meaning.CREATE],
            exclude=NOT_IN_THE_FORM,
            undo_stack=self.undo_stack,
            also=[self._draws[meaning] for meaning in Meaning],
        )
        ModelLook(engine, self.form, self)
        self.reusing = Reusing(self.easel, self.form, self._draws, self.undo_stack, self)
        self.opening = Opening(
            self.easel, self.staging, self.generating, self.reusing, origins, self
        )
        self.workbench = Workbench(
            self.easel, self.staging, self.generating, self.opening, settings, self
        )
        self._sheets = StickerSheets(self.easel, self.drawing, settings, self.undo_stack, self)
        self.sessions = Sessions(
            self.staging, self.generating, self.opening, self.reusing, settings, self
        )
        self.finished = FinishedPictures(
            self.easel, self.staging, self.generating, self.sessions.projects, settings, self
        )
        self._effects = Effects(self.finished, settings, self.undo_stack, self)
        self._morphing = Morphing(engine, settings, self.easel.prompt, self)
        self._undoing = Undoing(self.undo_stack, self.workbench.box, self)
        self._failed: Job | None = None
        self._restore()
        self._lay_out()
        self._add_commands()
        self._connect()
        self._update()
        self._name_window()
        self.sessions.projects.restore()

    # ------------------------------------------------------------------ commands

    def actions_table(self) -> list[Command]:
        tr, canvas = self.tr, self.easel.canvas
        return [
            Command("create_generate", tr("Generate"), "Ctrl+Return", "sparkles", self.generate),
            Command("create_stop", tr("Stop"), "Esc", "square", self.drawing.stop),
            *self._undoing.actions_table(),
            *self.sessions.projects.actions_table(),
            *self.workbench.actions_table(),
            *self.opening.actions_table(),
            *self.finished.actions_table(),
            *self._effects.actions_table(),
            *self._sheets.actions_table(),
            *self._morphing.actions_table(),
            Command("create_fit", tr("Fit to the window"), "Ctrl+0", "maximize", canvas.fit),
            Command("create_actual", tr("Actual size"), "Ctrl+Alt+0", "image", canvas.actual_size),
            Command("create_in", tr("Zoom in"), "Ctrl++", "zoom-in", canvas.zoom_in),
            Command("create_out", tr("Zoom out"), "Ctrl+-", "zoom-out", canvas.zoom_out),
            Command("create_prompt", tr("Go to the prompt"), "Ctrl+L", "terminal", self._write),
        ]

    def _add_commands(self) -> None:
        self._actions = {a.objectName(): a for a in add_actions(self, self.actions_table())}
        self.addActions(self.workbench.deeds)
        group_actions(self.actions(), create_menu.groups())
        self._undoing.follow(self._actions)
        deeds = ("create_sticker", "create_enlarge", "create_export")
        others = ("create_effects", "create_sheet")
        self.easel.add_deeds([self._actions[name] for name in (*deeds, *others)])
        shown = ("create_copy", "create_python", "create_write", "create_reuse", "create_folder")
        names = (*deeds, *shown)
        self.easel.strip.menu_actions = [self._actions[name] for name in names]
        self.workbench.offer([self._actions[name] for name in (*names, "create_fit")])

    # ------------------------------------------------------------------ drawing

    def generate(self) -> None:
        """Draw what the button says; more than one picture may wait in line."""
        easel = self.easel
        request = self.reusing.request()
        try:
            task = self.form.task(**{name: request[name] for name in PROMPTS})
            easel.errors.hide()
            self.generating.generate(request | task.to_dict())
        except InvalidTask as error:
            if error.field in PROMPTS:
                self._refuse(error)
                self._write()
            return
        easel.say("")
        easel.prompt.remember()
        self._keep()
        self.form.show_seed_used(task.to_dict()["seed"])

    def draw(self, prompt: str) -> None:
        """Draw an example, or what was written elsewhere."""
        self.easel.prompt.replace(prompt)
        self.generate()

    def open_file(self, path: Path) -> None:
        """Open a project, or make a picture the document."""
        self.sessions.projects.open(path)

    def show_file(self, path: Path) -> None:
        self.opening.show_file(path)

    def _fail(self, job: Job, error: EngineError) -> None:
        self._failed = job
        self.easel.errors.show_error(error)
        if isinstance(error, InvalidTask):
            if isinstance(job.task, tuple(self._draws.values())):
                self.form.show_error(error.field, error.message)
            elif self._effects.takes(job.task):
                self._effects.show_error(job.task, error)
            else:
                self._sheets.show_error(error)

    def _refuse(self, error: EngineError) -> None:
        self.easel.say("")  # else "Saved as …" of an earlier time stands beside it
        self.easel.errors.show_error(error, can_retry=False)

    def _retry(self) -> None:
        if self._failed:
            self.easel.errors.hide()
            self.generating.again(self._failed)

    # ------------------------------------------------------------------ putting it together

    def _lay_out(self) -> None:
        self.setCentralWidget(self.easel)
        self.setFocusProxy(self.easel.prompt)
        dock = QDockWidget(self.tr("Parameters"), self)
        dock.setObjectName("create_parameters")
        dock.setWidget(self.form)
        right = Qt.DockWidgetArea.RightDockWidgetArea
        self.setTabPosition(right, QTabWidget.TabPosition.North)
        self.addDockWidget(right, dock)
        others = (self.workbench.layers_dock, self._effects.dock, self._sheets.dock)
        for other in others:
            self.addDockWidget(right, other)
            self.tabifyDockWidget(dock, other)
        for seldom in (self._effects.dock, self._sheets.dock):
            seldom.hide()
        dock.raise_()
        TabbedDocks(self, [dock, *others])
        Prompting(self.form, self.easel, self.undo_stack, self)

    def _connect(self) -> None:
        easel, drawing, staging = self.easel, self.drawing, self.staging
        easel.generate_button.clicked.connect(self.generate)
        easel.stop_button.clicked.connect(drawing.stop)
        easel.example_chosen.connect(self.draw)
        easel.errors.retry.connect(self._retry)
        easel.undo.connect(self.undo_stack.undo)
        easel.strength.changed.connect(self.generating.set_strength)
        for changed in (
            self.form.changed,
            easel.prompt.textChanged,
            easel.negative_prompt.textChanged,
            easel.styles.changed,
            easel.strength.changed,
        ):
            changed.connect(self._keep)
        for object_ in (self.reusing, self.opening, self.generating, self.sessions):
            object_.refused.connect(self._refuse)
        staging.failed.connect(self._refuse)
        self.sessions.projects.said.connect(easel.say)
        self.sessions.projects.opened.connect(self.workbench.box.drop)
        self.sessions.projects.title_changed.connect(self._name_window)
        staging.changed.connect(self._follow_staging)
        self.generating.meaning_changed.connect(self._show_meaning)
        self.generating.arrived.connect(easel.add_result)
        for signal in (drawing.changed, self.document.layers_changed, self.document.resized):
            signal.connect(self._update)
        drawing.failed.connect(self._fail)
        drawing.noticed.connect(easel.say)

    def _follow_staging(self) -> None:
        current = self.staging.current
        self.easel.strip.select(current.path if current else None)
        self._update()

    def _update(self) -> None:
        """Show what there is to see and what can be done now."""
        easel, running = self.easel, self.drawing.running
        status = self.drawing.status()
        easel.show_progress(status, self.drawing.fraction(), running)
        shown = easel.canvas.staged
        if self.staging.is_preview:
            easel.stage.show_picture(None)
        elif shown is not None and shown.alone:
            easel.stage.show_picture(shown.rect.size())
        elif not self.document.is_empty:
            easel.stage.show_picture(self.document.size)
        elif running:
            easel.stage.show_words(status)
        else:
            easel.stage.show_nothing()
        easel.show_results(not self.document.is_empty)
        waiting = 0 if self.staging.is_preview else self.staging.count
        easel.stage.show_staging(self.staging.index, waiting, comparable=not self.document.is_empty)
        self._actions["create_stop"].setEnabled(running)

    def _show_meaning(self) -> None:
        meaning, strength = self.generating.meaning, self.generating.strength
        self.form.show_fields_of(self._draws[meaning])
        self.easel.show_meaning(
            button_text(meaning),
            button_tip(meaning, strength),
            strength=self.generating.has_picture,
        )

    def _write(self) -> None:
        self.easel.prompt.setFocus()

    def _name_window(self) -> None:
        projects = self.sessions.projects
        self.setWindowTitle(projects.title if projects.path or projects.unsaved else "")

    def closeEvent(self, event: QCloseEvent) -> None:
        self.workbench.box.settle()
        self.sessions.projects.close()
        super().closeEvent(event)

    # ------------------------------------------------------------------ from one start to the next

    def _restore(self) -> None:
        self.reusing.show(self._settings.value(REQUEST, {}))
        self.generating.set_strength(self.easel.strength.value())
        history: list[str] = self._settings.value(HISTORY, [])
        self.easel.prompt.history = [text for text in history if isinstance(text, str)]

    def _keep(self) -> None:
        """At every change, not only at the end: a crash comes unannounced."""
        self.sessions.projects.touch()  # what the autosave says is shown at the next start
        self._settings.set_value(REQUEST, self.reusing.request())
        self._settings.set_value(HISTORY, self.easel.prompt.history)
