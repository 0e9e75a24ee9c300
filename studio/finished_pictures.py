"""What is done with finished pictures in Create: stickers, enlarging, copying, exporting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog

from engine import files, library
from engine.errors import EngineError, InvalidTask
from engine.gate.images import read_size
from engine.generators.export_image import named_for
from engine.metadata import read_task
from engine.picture_files import SUFFIXES
from engine.python_script import python_script
from engine.registry import task_class
from studio.actions import Command
from studio.exporting import Exporting
from studio.generating import Generating
from studio.projects import Projects
from studio.settings import Settings
from studio.staging import Staging
from studio.widgets.easel import Easel

CHOICES = "create/export"
FOLDER = "create/export_folder"


class FinishedPictures(QObject):
    """Works on the results that are marked, or on what is on the canvas; makes new files only."""

    write_requested = Signal(object)  # list[Path], pictures that are wanted in the text
    describe_requested = Signal(object)  # Path

    def __init__(
        self,
        easel: Easel,
        staging: Staging,
        generating: Generating,
        projects: Projects,
        settings: Settings,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._easel = easel
        self._staging = staging
        self._generating = generating
        self._projects = projects
        self._of_canvas = False
        self._settings = settings
        self._exporting = Exporting(self)
        self._exporting.finished.connect(self._tell_written)
        self._exporting.stopped.connect(self._tell_written)
        self._exporting.failed.connect(self._tell_failed)
        bar = easel.export_bar
        bar.set_values(settings.value(CHOICES, {}))
        bar.changed.connect(lambda: settings.set_value(CHOICES, bar.values()))
        bar.wanted.connect(self.choose_where)
        bar.cancelled.connect(self._exporting.stop)
        easel.strip.itemSelectionChanged.connect(self._follow)
        generating.arrived.connect(self._forget_nothing_to_do)

    def actions_table(self) -> list[Command]:
        tr = self.tr
        return [
            Command(
                "create_sticker",
                tr("Make sticker"),
                "Ctrl+Shift+M",
                "sticker",
                lambda: self.work("make_sticker"),
            ),
            Command("create_export", tr("Export…"), "Ctrl+Shift+E", "download", self.export),
            Command(
                "create_write",
                tr("Put into the text"),
                "",
                "pen-line",
                lambda: self.with_pictures(self.write_requested.emit),
            ),
            Command(
                "create_describe",
                tr("Describe the picture…"),
                "Ctrl+Alt+D",
                "eye",
                lambda: self.with_pictures(lambda paths: self.describe_requested.emit(paths[-1])),
            ),
            Command(
                "create_python",
                tr("Copy as Python"),
                "Ctrl+Alt+C",
                "terminal",
                self.copy_as_python,
            ),
        ]

    def with_pictures(self, then: Callable[[list[Path]], None]) -> None:
        """Call `then` with the pictures that a command is for; says so where there are none."""
        chosen = self._easel.strip.chosen_paths()
        if chosen:
            then(chosen)
        elif self._staging.path or not self._staging.document.is_empty:
            self._generating.with_picture(lambda path: then([path]))
        else:
            self._easel.say(self._nothing_to_do())

    def work(self, name: str, values: Mapping[str, Any] | None = None) -> None:
        """Hand each of the pictures to the task of that name."""
        task = task_class(name)

        def send(paths: list[Path]) -> None:
            self._easel.errors.hide()
            try:
                for path in paths:
                    self._generating.work(task, values or {}, path)
            except InvalidTask as error:
                self._easel.errors.show_error(error, can_retry=False)

        self.with_pictures(send)

    def copy_as_python(self) -> None:
        """Put a program that draws the picture again on the clipboard."""
        self.with_pictures(lambda paths: self._copy_as_python(paths[-1]))

    def _copy_as_python(self, path: Path) -> None:
        try:
            record = read_task(path)
            if record is None:
                self._easel.say(self._why_no_program(path))
                return
            folder = library.find(str(record.values.get("model", "")))
            script = python_script(record, folder, read_size(path), path.parent)
            QGuiApplication.clipboard().setText(script)
        except EngineError as error:
            self._easel.errors.show_error(error, can_retry=False)
        else:
            self._easel.say(self.tr("Copied: a program for diffusers that draws this again."))

    def _why_no_program(self, path: Path) -> str:
        of_canvas = path not in (self._generating.known_path(), *self._easel.strip.chosen_paths())
        if of_canvas:
            return self.tr(
                "The canvas was put together by hand, which no program does again. "
                "A single drawing can be copied: choose one below the canvas."
            )
        return self.tr("This picture was not drawn by Create, so there is no program for it.")

    # ------------------------------------------------------------------ exporting

    def export(self) -> None:
        """Ask in what form; `choose_where` comes next."""
        if self._exporting.running:
            return
        worked_on = self._generating.known_path() is None and not self._staging.document.is_empty
        self._of_canvas = worked_on and not self._easel.strip.chosen_paths()
        if self._of_canvas:
            self._easel.export_bar.ask([Path(self._projects.name)])
        else:
            self.with_pictures(self._easel.export_bar.ask)

    def choose_where(self) -> None:
        """One picture gets a name, several a folder."""
        paths = self._easel.export_bar.paths
        folder = Path(self._settings.value(FOLDER, str(Path.home())))
        if not folder.is_dir():
            folder = Path.home()
        if len(paths) == 1:
            suffix = SUFFIXES[self._easel.export_bar.values()["file_format"]]
            chosen, _ = QFileDialog.getSaveFileName(
                self._easel,
                self.tr("Export the picture"),
                str(folder / f"{paths[0].stem}{suffix}"),
                self.tr("Pictures (*{})").format(suffix),
            )
            if chosen:
                self.export_to(Path(chosen))
        else:
            chosen = QFileDialog.getExistingDirectory(
                self._easel, self.tr("Export {} pictures to").format(len(paths)), str(folder)
            )
            if chosen:
                self.export_into(Path(chosen))

    def export_to(self, target: Path) -> None:
        """The one picture, to this file."""
        bar = self._easel.export_bar
        if not self._of_canvas:
            self._start([(bar.paths[0], target)], target.parent)
            return
        self._settings.set_value(FOLDER, str(target.parent))
        how = {name: value for name, value in bar.values().items() if name != "file_format"}
        self._projects.export_to(named_for(target, bar.values()["file_format"]), **how)
        bar.hide()

    def export_into(self, folder: Path) -> None:
        """All of them, into this folder; what is there already stays."""
        suffix = SUFFIXES[self._easel.export_bar.values()["file_format"]]
        taken: set[Path] = set()
        copies = []
        for path in self._easel.export_bar.paths:
            target = _free(folder, path.stem, suffix, taken)
            taken.add(target)
            copies.append((path, target))
        self._start(copies, folder)

    def _start(self, copies: list[tuple[Path, Path]], folder: Path) -> None:
        self._settings.set_value(FOLDER, str(folder))
        self._easel.errors.hide()
        self._easel.export_bar.set_running(True)
        self._exporting.start(copies, self._easel.export_bar.values())

    def _tell_written(self, written: list[Path]) -> None:
        self._close_bar()
        if len(written) == 1:
            self._easel.say(self.tr("Exported as {}").format(written[0]))
        elif written:
            folder = written[0].parent
            self._easel.say(self.tr("{} pictures exported to {}").format(len(written), folder))
        else:
            self._easel.say(self.tr("Nothing was exported."))

    def _tell_failed(self, error: EngineError) -> None:
        self._close_bar()
        self._easel.errors.show_error(error, can_retry=False)

    def _close_bar(self) -> None:
        self._easel.export_bar.set_running(False)
        self._easel.export_bar.hide()

    def _follow(self) -> None:
        """While the person is asked, they may mark other pictures."""
        bar, chosen = self._easel.export_bar, self._easel.strip.chosen_paths()
        if bar.isVisible() and not self._exporting.running and chosen:
            self._of_canvas = False
            bar.ask(chosen)

    def _nothing_to_do(self) -> str:
        return self.tr("There is no picture yet: generate one, or open one.")

    def _forget_nothing_to_do(self) -> None:
        if self._easel.remark.text == self._nothing_to_do():
            self._easel.say("")


def _free(folder: Path, stem: str, suffix: str, taken: set[Path]) -> Path:
    """A path that neither exists nor is about to."""
    path = files.new_path(folder, stem, suffix)
    number = 2
    while path in taken:
        path = files.new_path(folder, f"{stem}-{number}", suffix)
        number += 1
    return path
