"""Create: the canvas in the middle, the prompt under it, the parameters at the right."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QUndoGroup
from PySide6.QtWidgets import QDockWidget, QFileDialog, QMainWindow, QTabWidget

from engine import folders
from engine.errors import EngineError, FileError, InvalidTask
from engine.metadata import TaskRecord, bare_name, read_task
from engine.registry import task_class
from engine.task import Task
from engine.worker import Engine
from studio.actions import Command, add_actions
from studio.drawing import Drawing
from studio.finished_pictures import FinishedPictures
from studio.image_reader import ImageReader
from studio.prompt_styles import PromptStyles
from studio.settings import Settings
from studio.sticker_sheets import StickerSheets
from studio.widgets.easel import Easel
from studio.widgets.parameter_form import ParameterForm

TASK = "text_to_image"
PROMPTS = ("prompt", "negative_prompt")
REQUEST = "create/request"
HISTORY = "create/history"


class CreateWorkspace(QMainWindow):
    """A person says what to draw, watches it appear, and keeps what they like."""

    title = "Create"
    icon_name = "brush"

    def __init__(self, engine: Engine, settings: Settings, draws: type[Task] | None = None) -> None:
        super().__init__()
        self._draws = draws or task_class(TASK)
        self._settings = settings
        self._drawing = Drawing(engine, self)
        self._former: dict[str, Any] = {}
        self._failed: Task | None = None
        self._reader = ImageReader(self)
        self._form = ParameterForm(self._draws, exclude=PROMPTS)
        self.easel = Easel()
        self._finished = FinishedPictures(self.easel, self._drawing, settings, self)
        self._undo = QUndoGroup(self)
        self._sheets = StickerSheets(self.easel, self._drawing, settings, self._undo, self)
        self.setCentralWidget(self.easel)
        self.setFocusProxy(self.easel.prompt)
        self._add_parameters()
        PromptStyles(self._form, self.easel, self)
        self._restore()
        self._connect()
        self._actions = {a.objectName(): a for a in add_actions(self, self.actions_table())}
        deeds = ("create_sticker", "create_enlarge", "create_export")
        self.easel.add_deeds([self._actions[name] for name in (*deeds, "create_sheet")])
        names = (*deeds, "create_copy", "create_python", "create_reuse", "create_folder")
        self.easel.strip.menu_actions = [self._actions[name] for name in names]
        self.easel.canvas.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.easel.canvas.addActions([self._actions[name] for name in (*names, "create_fit")])
        self._update()

    def actions_table(self) -> list[Command]:
        tr, canvas, undo = self.tr, self.easel.canvas, self._undo
        return [
            Command("create_generate", tr("Generate"), "Ctrl+Return", "sparkles", self.generate),
            Command("create_stop", tr("Stop"), "Esc", "square", self._drawing.stop),
            Command("create_copy", tr("Copy the image"), "Ctrl+Shift+C", "copy", self.copy),
            *self._finished.actions_table(),
            Command(
                "create_sheet",
                tr("Sticker sheet…"),
                "Ctrl+Shift+T",
                "layout-grid",
                self._sheets.ask,
            ),
            Command("create_reuse", tr("Use its settings again"), "Ctrl+R", "history", self.reuse),
            Command(
                "create_folder",
                tr("Show in folder"),
                "Ctrl+Shift+O",
                "folder-open",
                self.easel.show_in_folder,
            ),
            Command("create_open", tr("Open an image…"), "Ctrl+O", "image", self.choose_image),
            Command("create_fit", tr("Fit to the window"), "Ctrl+0", "maximize", canvas.fit),
            Command("create_actual", tr("Actual size"), "Ctrl+Alt+0", "image", canvas.actual_size),
            Command("create_in", tr("Zoom in"), "Ctrl++", "zoom-in", canvas.zoom_in),
            Command("create_out", tr("Zoom out"), "Ctrl+-", "zoom-out", canvas.zoom_out),
            Command("create_undo", tr("Undo a parameter"), "Ctrl+Z", "undo-2", undo.undo),
            Command("create_redo", tr("Redo a parameter"), "Ctrl+Shift+Z", "redo-2", undo.redo),
            Command(
                "create_prompt", tr("Go to the prompt"), "Ctrl+L", "terminal", self._go_to_prompt
            ),
        ]

    # ------------------------------------------------------------------ drawing

    def generate(self) -> None:
        """Draw what the prompt says; more than one picture may wait in line."""
        desk = self.easel
        prompts = {name: self._request()[name] for name in PROMPTS}
        try:
            task = self._form.task(**prompts)
        except InvalidTask as error:
            if error.field in PROMPTS:
                self._refuse(error)
                self._go_to_prompt()
            return
        desk.errors.hide()
        desk.say("")
        desk.prompt.remember()
        self._keep()
        self._form.show_seed_used(task.to_dict()["seed"])
        self._drawing.start(task, folders.outputs())

    def draw(self, prompt: str) -> None:
        """Draw an example, or what was written elsewhere."""
        self.easel.prompt.replace(prompt)
        self.generate()

    def _take_result(self, path: Path, task: Task) -> None:
        self.easel.add_result(path, str(task.to_dict().get("prompt", "")))
        self.show_file(path)

    def _fail(self, error: EngineError, task: Task) -> None:
        self._failed = task
        self.easel.errors.show_error(error)
        if isinstance(error, InvalidTask):
            if isinstance(task, self._draws):
                self._form.show_error(error.field, error.message)
            else:
                self._sheets.show_error(error)
        self._after_preview()

    def _refuse(self, error: EngineError) -> None:
        self.easel.errors.show_error(error, can_retry=False)

    def _after_preview(self) -> None:
        """A half-made image gives way to the last finished one."""
        if self.easel.canvas.is_preview:
            newest = self.easel.strip.newest()
            if newest:
                self.show_file(newest)
            else:
                self.easel.show_nothing()

    def _retry(self) -> None:
        if self._failed:
            self.easel.errors.hide()
            self._drawing.start(self._failed, folders.outputs())

    # ------------------------------------------------------------------ images and their settings

    def show_file(self, path: Path) -> None:
        """Show an image file once it is read; says so in place where it cannot be."""
        self._reader.read(path, lambda image: self.easel.show_image(image, path))

    def open_file(self, path: Path) -> None:
        """Show an image from outside, and take over the settings it was made with."""

        def show(image: QImage) -> None:
            self.easel.add_result(path)
            self.easel.show_image(image, path)
            self._restore_settings(path)

        self._reader.read(path, show)

    def choose_image(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(
            self,
            self.tr("Open an image"),
            str(folders.outputs()),
            self.tr("Images (*.png *.jpg *.jpeg *.webp)"),
        )
        if chosen:
            self.open_file(Path(chosen))

    def reuse(self) -> None:
        """Take over the settings of the image on the canvas."""
        if self.easel.canvas.path:
            self._restore_settings(self.easel.canvas.path)

    def _restore_settings(self, path: Path) -> None:
        try:
            record = read_task(path)
        except FileError as error:
            self._refuse(error)
            return
        origin = record.origin() if record else None  # a sticker goes back to its drawing
        if origin is None or origin.name != self._draws.name():
            self.easel.say(self.tr("This image holds no settings of Create."))
            return
        self._show_record(origin)

    def _show_record(self, record: TaskRecord) -> None:
        self._former = self._request()
        values = dict(record.values)
        model = values.get("model")
        if isinstance(model, str):
            values["model"] = bare_name(model)  # a picture from outside must not choose a path
        refused = self._show_request(values)
        if refused:
            names = ", ".join(self._form.editor(name).field.param.label for name in refused)
            message = self.tr("Settings restored, except: {}").format(names)
        else:
            message = self.tr("Settings restored. Generate makes this image again.")
        self.easel.say(message, undo=True)

    def _request(self) -> dict[str, Any]:
        """Everything that Generate would draw from, as it stands."""
        desk = self.easel
        return self._form.values() | {
            "prompt": desk.prompt.toPlainText(),
            "negative_prompt": desk.negative_prompt.toPlainText(),
        }

    def _show_request(self, values: Mapping[str, Any]) -> list[str]:
        """The opposite; returns the names of what cannot be used."""
        refused = self._form.set_values(values)
        self.easel.prompt.replace(str(values.get("prompt", "")))
        self.easel.set_negative_prompt(str(values.get("negative_prompt", "")))
        return sorted(refused)

    def _undo_restoring(self) -> None:
        self._show_request(self._former)
        self.easel.say("")

    def copy(self) -> None:
        if not self.easel.canvas.image.isNull():
            self.easel.canvas.copy()
            self.easel.say(self.tr("Copied."))

    # ------------------------------------------------------------------ putting it together

    def _add_parameters(self) -> None:
        dock = QDockWidget(self.tr("Parameters"), self)
        dock.setObjectName("create_parameters")
        dock.setWidget(self._form)
        self.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
        self.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self._sheets.dock)
        self.tabifyDockWidget(dock, self._sheets.dock)
        self.setTabPosition(Qt.DockWidgetArea.RightDockWidgetArea, QTabWidget.TabPosition.North)
        self._sheets.dock.hide()
        self._undo.addStack(self._form.undo_stack)
        self._undo.setActiveStack(self._form.undo_stack)
        self._form.changed.connect(lambda: self._undo.setActiveStack(self._form.undo_stack))

    def _connect(self) -> None:
        desk, drawing = self.easel, self._drawing
        desk.generate_button.clicked.connect(self.generate)
        desk.stop_button.clicked.connect(drawing.stop)
        desk.example_chosen.connect(self.draw)
        desk.errors.retry.connect(self._retry)
        desk.dropped.connect(self.open_file)
        desk.undo.connect(self._undo_restoring)
        for changed in (
            self._form.changed,
            desk.prompt.textChanged,
            desk.negative_prompt.textChanged,
        ):
            changed.connect(self._keep)
        desk.strip.chosen.connect(self.show_file)
        self._reader.failed.connect(self._refuse)
        drawing.changed.connect(self._update)
        drawing.previewed.connect(desk.show_preview)
        drawing.saved.connect(self._take_result)
        drawing.failed.connect(self._fail)
        drawing.stopped.connect(self._after_preview)
        drawing.noticed.connect(desk.say)

    def _update(self) -> None:
        """Show what can be done now."""
        running = self._drawing.running
        self.easel.show_progress(self._drawing.status(), self._drawing.fraction(), running)
        if hasattr(self, "_actions"):
            self._actions["create_stop"].setEnabled(running)

    def _go_to_prompt(self) -> None:
        self.easel.prompt.setFocus()

    # ------------------------------------------------------------------ from one start to the next

    def _restore(self) -> None:
        self._show_request(self._settings.value(REQUEST, {}))
        self._form.undo_stack.clear()
        history: list[str] = self._settings.value(HISTORY, [])
        self.easel.prompt.history = [text for text in history if isinstance(text, str)]

    def _keep(self) -> None:
        """Into the settings at every change, not only at the end: a crash comes unannounced."""
        self._settings.set_value(REQUEST, self._request())
        self._settings.set_value(HISTORY, self.easel.prompt.history)
