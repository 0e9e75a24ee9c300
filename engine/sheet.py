"""A sheet of stickers: places in a grid, each as large as the other, with margins around them."""

from __future__ import annotations

import math

from PIL import Image, ImageOps

PREVIEW = 128
"""Pixels a sticker has at most while the sheet is drawn."""

Color = tuple[int, int, int, int]


class Sheet:
    """Filled place by place, row by row."""

    def __init__(self, count: int, columns: int, cell: int, margin: int, color: Color) -> None:
        self.count = count
        self._columns = min(columns or math.ceil(math.sqrt(count)), count)
        self._rows = math.ceil(count / self._columns)
        self._cell, self._margin, self._color = cell, margin, color
        self._image: Image.Image | None = None
        self._shrink = max(1.0, cell / PREVIEW)
        self._small = Image.new("RGBA", self._scaled(self.width, self.height), color)

    @property
    def width(self) -> int:
        return self._columns * (self._cell + self._margin) + self._margin

    @property
    def height(self) -> int:
        return self._rows * (self._cell + self._margin) + self._margin

    @property
    def image(self) -> Image.Image:
        """The sheet as it is, RGBA."""
        if self._image is None:
            self._image = Image.new("RGBA", (self.width, self.height), self._color)
        return self._image

    def put(self, place: int, sticker: Image.Image) -> None:
        """Lay a sticker into its place, as large as fits there."""
        left, top = self._corner(place)
        _lay(self.image, sticker, left, top, self._cell)
        self._lay_small(self._small, place, sticker)

    def preview(self, place: int, unfinished: Image.Image) -> Image.Image:
        """The sheet so far, small, with a half-made picture in its place."""
        shown = self._small.copy()
        self._lay_small(shown, place, unfinished)
        return shown

    def _lay_small(self, onto: Image.Image, place: int, picture: Image.Image) -> None:
        left, top = self._scaled(*self._corner(place))
        _lay(onto, picture, left, top, max(1, round(self._cell / self._shrink)))

    def _corner(self, place: int) -> tuple[int, int]:
        row, column = divmod(place, self._columns)
        step = self._cell + self._margin
        return self._margin + column * step, self._margin + row * step

    def _scaled(self, x: int, y: int) -> tuple[int, int]:
        return round(x / self._shrink), round(y / self._shrink)


def _lay(onto: Image.Image, picture: Image.Image, left: int, top: int, side: int) -> None:
    picture = picture.convert("RGBA")
    if picture.size != (side, side):
        picture = ImageOps.contain(picture, (side, side))
    x, y = (side - picture.width) // 2, (side - picture.height) // 2
    onto.alpha_composite(picture, (left + x, top + y))
