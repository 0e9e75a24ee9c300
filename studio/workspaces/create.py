"""Create: the canvas in the middle, the prompt under it, the parameters at the right."""

from __future__ import annotations

import shutil
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent, QGuiApplication
from PySide6.QtWidgets import QDockWidget, QFileDialog, QMainWindow

from engine import files, folders
from engine.errors import EngineError, FileError, InvalidTask
from engine.gate.images import open_image
from engine.metadata import TaskRecord, read_task
from engine.registry import task_class
from engine.worker import Engine
from studio import images
from studio.actions import Command, add_actions
from studio.drawing import Drawing
from studio.settings import Settings
from studio.widgets.easel import Easel
from studio.widgets.image_canvas import ZOOM_STEP, mime_of
from studio.widgets.parameter_form import ParameterForm

TASK = "text_to_image"
PARAMETERS = "create/parameters"
PROMPT = "create/prompt"
NEGATIVE_PROMPT = "create/negative_prompt"
HISTORY = "create/history"
FIRST_PROMPT = "red heart"


class CreateWorkspace(QMainWindow):
    """A person says what to draw, watches it appear, and keeps what they like."""

    title = "Create"
    icon_name = "brush"

    def __init__(self, engine: Engine, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self._drawing = Drawing(engine, self)
        self._form = ParameterForm(task_class(TASK), exclude=("prompt", "negative_prompt"))
        self.easel = Easel(FIRST_PROMPT)
        self.setCentralWidget(self.easel)
        self.setFocusProxy(self.easel.prompt)
        self._add_parameters()
        self._restore()
        self._connect()
        self._actions = {a.objectName(): a for a in add_actions(self, self.actions_table())}
        names = ("create_copy", "create_save", "create_reuse", "create_folder")
        self.easel.strip.menu_actions = [self._actions[name] for name in names]
        self._update()

    def actions_table(self) -> list[Command]:
        tr, canvas = self.tr, self.easel.canvas
        return [
            Command("create_generate", tr("Generate"), "Ctrl+Return", "sparkles", self.generate),
            Command("create_stop", tr("Stop"), "Esc", "square", self._drawing.stop),
            Command("create_copy", tr("Copy the image"), "Ctrl+Shift+C", "copy", self.copy),
            Command("create_save", tr("Save the image as…"), "Ctrl+S", "save", self.save_as),
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
            Command(
                "create_in",
                tr("Zoom in"),
                "Ctrl++",
                "zoom-in",
                lambda: canvas.zoom_by(ZOOM_STEP),
            ),
            Command(
                "create_out",
                tr("Zoom out"),
                "Ctrl+-",
                "zoom-out",
                lambda: canvas.zoom_by(1 / ZOOM_STEP),
            ),
            Command(
                "create_prompt", tr("Go to the prompt"), "Ctrl+L", "terminal", self._go_to_prompt
            ),
        ]

    # ------------------------------------------------------------------ drawing

    def generate(self) -> None:
        """Draw what the prompt says; more than one picture may wait in line."""
        desk = self.easel
        try:
            task = self._form.task(
                prompt=desk.prompt.toPlainText(), negative_prompt=desk.negative_prompt.toPlainText()
            )
        except InvalidTask as error:
            if error.field in ("prompt", "negative_prompt"):
                desk.errors.show_error(error, can_retry=False)
                self._go_to_prompt()
            return
        desk.errors.hide()
        desk.say("")
        desk.prompt.remember()
        self._form.show_seed_used(task.to_dict()["seed"])
        self._drawing.start(task, folders.outputs())

    def draw(self, prompt: str) -> None:
        """Draw what was written elsewhere."""
        self.easel.prompt.replace(prompt)
        self.generate()

    def _try_example(self) -> None:
        if not self.easel.prompt.toPlainText().strip():
            self.easel.prompt.replace(FIRST_PROMPT)
        self.generate()

    def _take_result(self, path: Path) -> None:
        self.easel.strip.add(path, self.easel.prompt.toPlainText())
        self.show_file(path)

    def _fail(self, error: EngineError) -> None:
        self.easel.errors.show_error(error)
        if isinstance(error, InvalidTask):
            self._form.show_error(error.field, error.message)
        self._after_preview()

    def _after_preview(self) -> None:
        """A half-made image gives way to the last finished one."""
        if self.easel.canvas.is_preview:
            newest = self.easel.strip.newest()
            if newest:
                self.show_file(newest)
            else:
                self.easel.show_nothing()

    def _retry(self) -> None:
        if self._drawing.last:
            self.easel.errors.hide()
            self._drawing.start(self._drawing.last, folders.outputs())

    # ------------------------------------------------------------------ images and their settings

    def show_file(self, path: Path) -> bool:
        """Show an image file; says so in place where it cannot be read."""
        try:
            picture = open_image(path)
        except FileError as error:
            self.easel.errors.show_error(error, can_retry=False)
            return False
        self.easel.show_image(images.from_pil(picture), path)
        self.easel.strip.select(path)
        return True

    def open_file(self, path: Path) -> None:
        """Show an image from outside, and take over the settings it was made with."""
        if self.show_file(path):
            self.easel.strip.add(path)
            self.easel.strip.select(path)
            self._restore_settings(path)

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
            self.easel.errors.show_error(error, can_retry=False)
            return
        if record is None or record.name != TASK:
            self.easel.say(self.tr("This image holds no settings of Create."))
            return
        self._show_record(record)

    def _show_record(self, record: TaskRecord) -> None:
        refused = self._form.set_values(record.values)
        self.easel.prompt.replace(str(record.values.get("prompt", "")))
        self.easel.set_negative_prompt(str(record.values.get("negative_prompt", "")))
        if refused:
            names = ", ".join(self._form.editor(name).field.param.label for name in sorted(refused))
            self.easel.say(self.tr("Settings restored, except: {}").format(names))
        else:
            self.easel.say(self.tr("Settings restored. Generate makes this image again."))

    def copy(self) -> None:
        canvas = self.easel.canvas
        if not canvas.image.isNull():
            QGuiApplication.clipboard().setMimeData(mime_of(canvas.image, canvas.path))
            self.easel.say(self.tr("Copied."))

    def save_as(self) -> None:
        path = self.easel.canvas.path
        if path is None:
            return
        chosen, _ = QFileDialog.getSaveFileName(
            self,
            self.tr("Save the image"),
            str(Path.home() / path.name),
            self.tr("PNG image (*.png)"),
        )
        if chosen:
            self.save_to(path, Path(chosen))

    def save_to(self, path: Path, target: Path) -> None:
        """Copy the file as it is, with its settings inside."""
        if not target.suffix:
            target = target.with_suffix(path.suffix)

        def copy(temporary: Path) -> None:
            shutil.copyfile(path, temporary)

        try:
            files.write_with(target, copy)
        except FileError as error:
            self.easel.errors.show_error(error, can_retry=False)
        else:
            self.easel.say(self.tr("Saved as {}").format(target))

    # ------------------------------------------------------------------ putting it together

    def _add_parameters(self) -> None:
        dock = QDockWidget(self.tr("Parameters"), self)
        dock.setObjectName("create_parameters")
        dock.setWidget(self._form)
        self.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)

    def _connect(self) -> None:
        desk, drawing = self.easel, self._drawing
        desk.generate_button.clicked.connect(self.generate)
        desk.stop_button.clicked.connect(drawing.stop)
        desk.empty.triggered.connect(self._try_example)
        desk.errors.retry.connect(self._retry)
        desk.canvas.dropped.connect(self.open_file)
        desk.strip.chosen.connect(self.show_file)
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
        self._form.set_values(self._settings.value(PARAMETERS, {}))
        self._form.undo_stack.clear()
        self.easel.prompt.setPlainText(self._settings.value(PROMPT, ""))
        self.easel.set_negative_prompt(self._settings.value(NEGATIVE_PROMPT, ""))
        history: list[str] = self._settings.value(HISTORY, [])
        self.easel.prompt.history = [text for text in history if isinstance(text, str)]

    def closeEvent(self, event: QCloseEvent) -> None:
        desk = self.easel
        self._settings.set_value(PARAMETERS, self._form.values())
        self._settings.set_value(PROMPT, desk.prompt.toPlainText())
        self._settings.set_value(NEGATIVE_PROMPT, desk.negative_prompt.toPlainText())
        self._settings.set_value(HISTORY, desk.prompt.history)
        super().closeEvent(event)
