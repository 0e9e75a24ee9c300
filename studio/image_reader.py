"""Reads the image a person wants to see, off the GUI thread; the last one asked for wins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from engine.errors import FileError
from engine.gate.images import count_frames, open_image
from studio import images
from studio.background import Background


class ImageReader(QObject):
    """A large image takes a second to decode; until then the person may have gone on."""

    failed = Signal(object)  # FileError
    noticed = Signal(str)  # what is to be said of an image that was read

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._background = Background(self)
        self._wanted: Path | None = None

    def read(self, path: Path, then: Callable[[QImage], None]) -> None:
        """Call `then` with the image at `path`, unless another one has been asked for since."""
        self._wanted = path
        self._background.run(
            lambda: (*read_picture(path), _frames(path)),
            lambda read: self._deliver(read, then),
        )

    def _deliver(
        self, read: tuple[Path, QImage | FileError, int], then: Callable[[QImage], None]
    ) -> None:
        path, image, frames = read
        if path != self._wanted:
            return
        if isinstance(image, FileError):
            self.failed.emit(image)
            return
        then(image)
        if frames > 1:
            self.noticed.emit(
                self.tr("{} is an animation; this is the first of its {} pictures.").format(
                    path.name, frames
                )
            )


def _frames(path: Path) -> int:
    try:
        return count_frames(path)
    except FileError:  # `read_picture` has said why it cannot be read
        return 1


def read_picture(path: Path) -> tuple[Path, QImage | FileError]:
    """The picture at `path`, or why there is none; for another thread."""
    try:
        return path, images.from_pil(open_image(path))
    except FileError as error:
        return path, error
