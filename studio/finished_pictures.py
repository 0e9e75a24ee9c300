"""What is done with finished pictures in Create: stickers, enlarging, exporting."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog

from engine import files, folders, library
from engine.errors import EngineError
from engine.metadata import read_task
from engine.picture_files import SUFFIXES
from engine.python_script import python_script
from engine.registry import task_class
from studio.actions import Command
from studio.drawing import Drawing
from studio.exporting import Exporting
from studio.settings import Settings
from studio.widgets.easel import Easel

CHOICES = "create/export"
FOLDER = "create/export_folder"


class FinishedPictures(QObject):
    """Works on the results that are marked, or on the one on the canvas; makes new files only."""

    def __init__(self, easel: Easel, drawing: Drawing, settings: Settings, parent: QObject) -> None:
        super().__init__(parent)
        self._easel = easel
        self._drawing = drawing
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
            Command(
                "create_enlarge",
                tr("Enlarge ×4"),
                "Ctrl+Shift+U",
                "scaling",
                lambda: self.work("upscale"),
            ),
            Command("create_export", tr("Export…"), "Ctrl+S", "download", self.export),
            Command(
                "create_python",
                tr("Copy as Python"),
                "Ctrl+Alt+C",
                "terminal",
                self.copy_as_python,
            ),
        ]

    def paths(self) -> list[Path]:
        """The pictures that a command is for."""
        chosen = self._easel.strip.chosen_paths()
        shown = self._easel.canvas.path
        return chosen or ([shown] if shown else [])

    def work(self, name: str) -> None:
        """Hand each of the pictures to the task of that name."""
        paths = self.paths()
        if not paths:
            self._say_nothing_to_do()
            return
        self._easel.errors.hide()
        for path in paths:
            task = task_class(name).from_dict({"image": str(path)})
            self._drawing.start(task, folders.outputs())

    def copy_as_python(self) -> None:
        """Put a program that draws the picture on the canvas again on the clipboard."""
        canvas = self._easel.canvas
        if canvas.path is None:
            self._say_nothing_to_do()
            return
        try:
            record = read_task(canvas.path)
            if record is None:
                self._easel.say(self.tr("This image holds no settings of Create."))
                return
            folder = library.find(str(record.values.get("model", "")))
            size = (canvas.image.width(), canvas.image.height())
            QGuiApplication.clipboard().setText(python_script(record, folder, size))
        except EngineError as error:
            self._easel.errors.show_error(error, can_retry=False)
        else:
            self._easel.say(self.tr("Copied: a program for diffusers that draws this again."))

    # ------------------------------------------------------------------ exporting

    def export(self) -> None:
        """Ask in what form; `choose_where` comes next."""
        paths = self.paths()
        if not paths:
            self._say_nothing_to_do()
        elif not self._exporting.running:
            self._easel.export_bar.ask(paths)

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
        self._start([(self._easel.export_bar.paths[0], target)], target.parent)

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
        bar = self._easel.export_bar
        if bar.isVisible() and not self._exporting.running and self.paths():
            bar.ask(self.paths())

    def _say_nothing_to_do(self) -> None:
        self._easel.say(self.tr("There is no picture yet: generate one, or open one."))


def _free(folder: Path, stem: str, suffix: str, taken: set[Path]) -> Path:
    """A path that neither exists nor is about to."""
    path = files.new_path(folder, stem, suffix)
    number = 2
    while path in taken:
        path = files.new_path(folder, f"{stem}-{number}", suffix)
        number += 1
    return path
