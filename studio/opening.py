"""Pictures that come into Create: opened, laid over the document, asked how they were made."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QPoint, QUrl, Signal
from PySide6.QtGui import QColor, QDesktopServices, QGuiApplication, QImage

from engine import folders
from engine.errors import EngineError
from studio.actions import Command
from studio.canvas.document import Document
from studio.canvas.layer import Layer, LayerKind
from studio.canvas.tiles import TileStore
from studio.generating import Generating, record_in_file
from studio.image_reader import ImageReader
from studio.reusing import Reusing
from studio.scenes import Origins
from studio.staging import Result, Staging
from studio.widgets.easel import LAYER, OPEN, REUSE, Easel
from studio.widgets.picture_view import mime_of

EMPTY_SIZE = 512  # pixels of the side of a canvas to paint on


class Opening(QObject):
    """Files are read off the GUI thread; the last one asked for is the one that comes."""

    refused = Signal(object)  # EngineError
    replacing = Signal()  # what is on the canvas gives way to a picture

    def __init__(
        self,
        easel: Easel,
        staging: Staging,
        generating: Generating,
        reusing: Reusing,
        origins: Origins,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._easel = easel
        self._staging = staging
        self._generating = generating
        self._reusing = reusing
        self._origins = origins
        self._reader = ImageReader(self)
        self._reader.failed.connect(self.refused)
        self._reader.noticed.connect(self._add_to_what_is_said)
        easel.strip.chosen.connect(self.show_file)
        easel.dropped.connect(self._take_dropped)
        easel.stage.empty_wanted.connect(self.new_canvas)

    def actions_table(self) -> list[Command]:
        tr = self.tr
        return [
            Command("create_paper", tr("White canvas"), "Ctrl+Alt+N", "square", self.new_canvas),
            Command("create_copy", tr("Copy the image"), "Ctrl+Shift+C", "copy", self.copy),
            Command("create_reuse", tr("Use its settings again"), "Ctrl+R", "history", self.reuse),
            Command(
                "create_folder",
                tr("Show in folder"),
                "Ctrl+Shift+O",
                "folder-open",
                self.show_in_folder,
            ),
        ]

    @property
    def _document(self) -> Document:
        return self._staging.document

    @property
    def path(self) -> Path | None:
        """The file of what is shown, where it is one."""
        return self._generating.known_path()

    @property
    def image(self) -> QImage:
        """What is shown; null where nothing is."""
        shown = self._staging.image
        if not shown.isNull() or self._document.is_empty:
            return shown
        return self._document.composite()

    # ------------------------------------------------------------------ from files

    def show_file(self, path: Path) -> None:
        """Show a result over the canvas once it is read; says so in place where it cannot be."""
        known = self._generating.results.get(path, Result(path))
        self._reader.read(path, lambda image: self._staging.show_only(known, image))

    def open_file(self, path: Path) -> None:
        """Make a picture the document, and take over the settings it was made with."""

        def show(image: QImage) -> None:
            record = record_in_file(path)
            kind = LayerKind.GENERATED if record else LayerKind.RASTER
            self.replacing.emit()
            try:
                layer = self._document.open_image(image, path.name, record, kind)
            except EngineError as error:
                self.refused.emit(error)
                return
            self._staging.discard()
            self._origins.note(self._document, layer, path)
            self._easel.add_result(path)
            self._easel.errors.hide()
            self._easel.say("")
            self._reusing.restore(path, if_any=True)

        self._reader.read(path, show)

    def add_as_layer(self, path: Path) -> None:
        """Lay a picture over the document, in the middle of it."""

        def add(image: QImage) -> None:
            self._generating.settle()
            middle = self._document.rect.center() - image.rect().center()
            place = QPoint() if self._document.is_empty else middle
            layer = Layer(path.stem, LayerKind.RASTER, TileStore.from_image(image, place))
            layer.record = record_in_file(path)
            self._document.add_layer(layer)

        if self._document.is_empty and self._staging.path is None:
            self.open_file(path)
        else:
            self._reader.read(path, add)

    def _add_to_what_is_said(self, notice: str) -> None:
        """Settings may have been restored from the same picture, which can be undone."""
        told = self._easel.remark.text
        self._easel.say(f"{told} {notice}".strip(), undo=bool(told))

    def _take_dropped(self, zone: str, path: Path) -> None:
        take = {OPEN: self.open_file, LAYER: self.add_as_layer, REUSE: self._reusing.restore}
        take[zone](path)

    def new_canvas(self) -> None:
        """A white picture to paint on."""
        paper = QImage(EMPTY_SIZE, EMPTY_SIZE, QImage.Format.Format_RGB32)
        paper.fill(QColor("white"))
        self.replacing.emit()
        self._document.open_image(paper, self.tr("Paper"))
        self._staging.discard()

    # ------------------------------------------------------------------ what is shown

    def reuse(self) -> None:
        """Take over the settings of what is shown."""
        if self.path:
            self._reusing.restore(self.path)
            return
        records = [layer.record for layer in self._document.layers if layer.record]
        if records:
            self._reusing.show_record(records[-1])
        else:
            self._easel.say(self.tr("This image holds no settings of Create."))

    def copy(self) -> None:
        """Put what is selected on the clipboard, else the picture: as pixels and as its file."""
        image = self.image
        if self._staging.image.isNull() and not self._document.selection.is_empty:
            self._easel.canvas.copy()
            self._easel.say(self.tr("Copied what is selected."))
        elif not image.isNull():
            QGuiApplication.clipboard().setMimeData(mime_of(image, self.path))
            self._easel.say(self.tr("Copied."))

    def show_in_folder(self) -> None:
        folder = self.path.parent if self.path else folders.outputs()
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
