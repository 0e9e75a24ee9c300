"""Makes the cells of the gallery off the GUI thread: a picture, scaled and rounded, ready to paint.

What was asked for last comes first, so that the pictures in sight never wait for those scrolled by.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from PySide6.QtCore import QObject, QRectF, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QImage, QPainter

from engine.errors import EngineError
from engine.gallery.index import Index
from engine.gallery.pictures import Picture
from engine.gallery.thumbnails import Thumbnails
from studio import images, theme
from studio.background import Background, attempt

MOST_BYTES = 256_000_000  # of cells kept in memory
MOST_WAITING = 600  # cells asked for; what was asked for long ago is out of sight
PATIENCE = 0.03  # seconds until the cells that are done are shown
ROUND = theme.SPACING * 0.75


@dataclass(frozen=True)
class Look:
    """How cells are drawn; all of it is known on the GUI thread only."""

    side: int
    """Device pixels of the longer side."""
    ratio: float
    """Device pixels for a logical one."""
    light: QColor
    dark: QColor


@dataclass(frozen=True)
class Cell:
    """One picture as the grid shows it."""

    picture: Picture
    look: Look
    image: QImage | None
    problem: str = ""
    """Why there is no image."""


class ThumbnailLoader(QObject):
    """`cell` gives what there is and asks for what is missing; `loaded` tells what has come."""

    loaded = Signal(object)  # a list of numbers

    def __init__(self, index: Index, parent: QObject) -> None:
        super().__init__(parent)
        self._index = index
        self._thumbnails = Thumbnails()
        self._background = Background(self)
        self._cells: OrderedDict[int, Cell] = OrderedDict()
        self._bytes = 0
        self._waiting: OrderedDict[int, None] = OrderedDict()
        self._stale: set[int] = set()
        self._gone: set[int] = set()  # the next search leaves them out
        self._busy = False
        self._look = Look(160, 1.0, QColor(), QColor())

    @property
    def is_busy(self) -> bool:
        return self._busy

    def set_look(self, side: int, ratio: float) -> None:
        """Cells of another size or theme follow; the old ones stand in for them until then."""
        colors = theme.colors()
        look = Look(round(side * ratio), ratio, colors.checker_light, colors.checker_dark)
        if look != self._look:
            self._look = look
            self._waiting.clear()

    def cell(self, number: int) -> Cell | None:
        cell = self._cells.get(number)
        if number in self._gone:
            return None
        if cell is None or cell.look != self._look or number in self._stale:
            self._ask(number)
        else:
            self._cells.move_to_end(number)
        return cell

    def paths(self, numbers: Sequence[int]) -> list[Path]:
        """The files of pictures, at once, loaded or not."""
        found = attempt(lambda: self._index.pictures(numbers))
        return [] if isinstance(found, EngineError) else [picture.path for picture in found]

    def renew(self) -> None:
        """Something was changed: every cell is looked at again when it is next in sight."""
        self._stale = set(self._cells)
        self._gone.clear()

    def forget_waiting(self) -> None:
        """Another search: what has not come yet is out of sight."""
        self._waiting.clear()

    def _ask(self, number: int) -> None:
        self._waiting[number] = None
        self._waiting.move_to_end(number)
        if len(self._waiting) > MOST_WAITING:
            self._waiting.popitem(last=False)
        self._go_on()

    def _go_on(self) -> None:
        if self._busy or not self._waiting:
            return
        self._busy = True
        asked = list(self._waiting)[::-1]
        index, thumbnails, look = self._index, self._thumbnails, self._look
        self._background.run(lambda: _make(index, thumbnails, look, asked), self._take)

    def _take(self, made: dict[int, Cell | None]) -> None:
        self._busy = False
        for number, cell in made.items():
            self._waiting.pop(number, None)
            self._stale.discard(number)
            self._drop(number)
            if cell is None:
                self._gone.add(number)
            else:
                self._cells[number] = cell
                self._bytes += _bytes(cell)
        while self._bytes > MOST_BYTES and len(self._cells) > 1:
            self._drop(next(iter(self._cells)))
        if made:
            self.loaded.emit(list(made))
        self._go_on()

    def _drop(self, number: int) -> None:
        cell = self._cells.pop(number, None)
        if cell is not None:
            self._bytes -= _bytes(cell)


def _bytes(cell: Cell) -> int:
    return cell.image.sizeInBytes() if cell.image is not None else 1000


def _make(
    index: Index, thumbnails: Thumbnails, look: Look, asked: Sequence[int]
) -> dict[int, Cell | None]:
    """The first of these cells, as many as go quickly; None for a picture that is gone."""
    end = time.monotonic() + PATIENCE
    made: dict[int, Cell | None] = {}
    for start in range(0, len(asked), 16):
        part = asked[start : start + 16]
        try:
            there = {picture.id: picture for picture in index.pictures(part)}
        except EngineError:  # the search tells; a cell without a picture is asked for again
            return dict.fromkeys(asked)
        for number in part:
            picture = there.get(number)
            made[number] = _cell(picture, thumbnails, look) if picture else None
            if time.monotonic() > end:
                return made
    return made


def _cell(picture: Picture, thumbnails: Thumbnails, look: Look) -> Cell:
    if picture.description.problem:
        return Cell(picture, look, None, picture.description.problem)
    try:
        image = thumbnails.get(picture, look.side)
    except EngineError as error:
        return Cell(picture, look, None, error.message)
    return Cell(picture, look, _rounded(image, look))


def _rounded(image: Image.Image, look: Look) -> QImage:
    """Fitted into a square of `look.side`; behind what is transparent are squares."""
    factor = look.side / max(image.size)
    size = [max(1, round(side * factor)) for side in image.size]
    if tuple(size) != image.size:
        image = image.resize((size[0], size[1]), Image.Resampling.LANCZOS)
    source = images.from_pil(image)
    cell = QImage(source.size(), QImage.Format.Format_ARGB32_Premultiplied)
    cell.fill(Qt.GlobalColor.transparent)
    with QPainter(cell) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        area, corner = QRectF(source.rect()), ROUND * look.ratio
        if source.hasAlphaChannel():
            painter.setBrush(QBrush(_squares(look)))
            painter.drawRoundedRect(area, corner, corner)
        painter.setBrush(QBrush(source))
        painter.drawRoundedRect(area, corner, corner)
    cell.setDevicePixelRatio(look.ratio)
    return cell


def _squares(look: Look) -> QImage:
    """Two by two squares, which stand for nothing when they are repeated."""
    side = round(theme.SPACING * look.ratio)
    squares = QImage(2 * side, 2 * side, QImage.Format.Format_RGB32)
    squares.fill(look.light)
    with QPainter(squares) as painter:
        painter.fillRect(0, 0, side, side, look.dark)
        painter.fillRect(side, side, side, side, look.dark)
    return squares
