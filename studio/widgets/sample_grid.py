"""Shows the sample grid of a step, enlarged crisply; pictures are read off the GUI thread."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QImage, QImageReader
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from studio import theme
from studio.background import Background
from studio.widgets.cell_picker import CellPicker

CACHED = 128  # grids kept decoded; a grid of 8×8 digits takes 150 kB
AHEAD = 4  # neighbours read in advance on either side while scrubbing


class SampleGridView(QWidget):
    """The grid of one step with its caption. `show_sample` may be called at any rate."""

    shown = Signal(object)  # the Path of the picture that is now on the screen
    picked = Signal(object, int)  # that Path, and which of the pictures in it

    def __init__(self, empty_text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._empty_text = empty_text or self.tr("Samples from fixed noise appear here.")
        self._canvas = CellPicker()
        self._canvas.picked.connect(self._pick)
        self._caption = QLabel()
        self._caption.setTextFormat(Qt.TextFormat.PlainText)
        self._caption.setAlignment(Qt.AlignmentFlag.AlignCenter)
        theme.set_role(self._caption, "caption")
        self._images: OrderedDict[Path, QImage] = OrderedDict()
        self._reading: set[Path] = set()
        self._wanted: Path | None = None
        self._on_screen: Path | None = None
        self._near: frozenset[Path] = frozenset()
        self._background = Background(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.SPACING)
        layout.addWidget(self._canvas, 1)
        layout.addWidget(self._caption)
        self.clear()

    def clear(self) -> None:
        self._wanted = self._on_screen = None
        self._images.clear()
        self._canvas.show_image(None)
        self._caption.setText(self._empty_text)

    def show_sample(self, path: Path, caption: str, neighbours: list[Path] | None = None) -> None:
        """Show the picture at `path`; read `neighbours` in advance."""
        self._wanted = path
        ahead = (neighbours or [])[: 2 * AHEAD]
        self._near = frozenset((path, *ahead))
        self._caption.setText(caption)
        self._canvas.setAccessibleName(caption)
        if path in self._images:
            self._images.move_to_end(path)
            self._show(path)
        else:
            self._read(path)
        for near in ahead:
            self._read(near)

    def set_cells(self, size: int) -> None:
        """How wide and high the pictures of the grid are; 0 where none of them can be picked."""
        self._canvas.set_cells(size)

    def set_current_cell(self, cell: int | None) -> None:
        """Mark the picture that is told about."""
        self._canvas.set_current(cell)

    def _pick(self, cell: int) -> None:
        if self._on_screen:
            self.picked.emit(self._on_screen, cell)

    @property
    def caption(self) -> str:
        return self._caption.text()

    @property
    def image(self) -> QImage | None:
        """The picture on the screen."""
        return self._canvas.image

    def target_rect(self) -> QRect:
        """Where the picture is drawn, in physical pixels of the canvas."""
        return self._canvas.target_rect()

    def _read(self, path: Path) -> None:
        if path in self._reading or path in self._images:
            return
        self._reading.add(path)
        self._background.run(lambda: (path, self._decode(path)), self._take)

    def _decode(self, path: Path) -> QImage | str | None:
        """The picture, or why it cannot be shown; None when the scrub has gone past it."""
        if path not in self._near:
            return None
        reader = QImageReader(str(path))
        reader.setAutoDetectImageFormat(False)
        reader.setFormat(b"png")
        image = reader.read()
        return reader.errorString() if image.isNull() else image

    def _take(self, result: tuple[Path, QImage | str | None]) -> None:
        path, image = result
        self._reading.discard(path)
        if isinstance(image, QImage):
            self._images[path] = image
            while len(self._images) > CACHED:
                self._images.popitem(last=False)
            if path == self._wanted:
                self._show(path)
        elif path == self._wanted and image is None:
            self._read(path)  # left and come back to while it was skipped
        elif path == self._wanted:
            self._canvas.show_image(None)
            self._caption.setText(
                self.tr("{path} cannot be shown: {reason}").format(path=path, reason=image)
            )

    def _show(self, path: Path) -> None:
        self._canvas.show_image(self._images[path])
        self._on_screen = path
        self.shown.emit(path)
