"""Where frames are drawn between two pictures, so that each looks as far from the next.

The middle of the two neighbours that differ most is drawn next, again and again. What words mean
changes suddenly on the way from one prompt to another: frames at even distances would stand still
for long, and jump.
"""

from __future__ import annotations

import bisect
import io
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEEN = 64
"""Pixels on a side at which two frames are compared."""
NEAREST = 1 / 1024
"""No nearer than so are two frames drawn: what jumps there jumps."""


class FrameShelf:
    """Frames by their place on the way, kept as PNG so that long ways fit into memory."""

    def __init__(self) -> None:
        self.places: list[float] = []
        self._files: dict[float, bytes] = {}
        self._small: dict[float, NDArray[np.float32]] = {}

    def __len__(self) -> int:
        return len(self.places)

    def put(self, place: float, image: Image.Image) -> None:
        stream = io.BytesIO()
        image.save(stream, "PNG", compress_level=1)
        bisect.insort(self.places, place)
        self._files[place] = stream.getvalue()
        small = image.convert("RGB").resize((SEEN, SEEN), Image.Resampling.BOX)
        self._small[place] = np.asarray(small, np.float32) / np.float32(255)

    def frame(self, number: int) -> Image.Image:
        """In the order of the way, from 0."""
        return Image.open(io.BytesIO(self._files[self.places[number]])).convert("RGB")

    def difference(self, number: int) -> float:
        """Between frame `number` and the next, as a root mean square of 0…1."""
        one, other = (self._small[place] for place in self.places[number : number + 2])
        return float(np.sqrt(np.mean((one - other) ** 2)))

    def widest(self, start: float, end: float) -> tuple[float, float]:
        """The neighbours between `start` and `end` that differ most and are not too near."""
        first, last = self.places.index(start), self.places.index(end)

        def width(number: int) -> tuple[float, float]:
            gap = self.places[number + 1] - self.places[number]
            return (self.difference(number) if gap > NEAREST else -1.0), gap

        number = max(range(first, last), key=width)
        return self.places[number], self.places[number + 1]


def fill(
    shelf: FrameShelf, start: float, count: int, draw: Callable[[float], Image.Image]
) -> Iterator[tuple[float, Image.Image]]:
    """Put `count` frames between those at `start` and `start` + 1, which are there.

    Yields each with its place, once it is on the shelf.
    """
    for _ in range(count):
        before, after = shelf.widest(start, start + 1)
        place = (before + after) / 2
        image = draw(place)
        shelf.put(place, image)
        yield place, image


class BlendedFrames:
    """The frames of a shelf with so many between each two that are mixed of both."""

    def __init__(self, shelf: FrameShelf, blended: int) -> None:
        self._shelf, self._each = shelf, blended + 1
        self._read: dict[int, Image.Image] = {}

    def __len__(self) -> int:
        return (len(self._shelf) - 1) * self._each + 1

    def frame(self, number: int) -> Image.Image:
        drawn, part = divmod(number, self._each)
        if not part:
            return self._image(drawn)
        return Image.blend(self._image(drawn), self._image(drawn + 1), part / self._each)

    def _image(self, number: int) -> Image.Image:
        if number not in self._read:
            kept = {n: image for n, image in self._read.items() if n == number - 1}
            self._read = kept | {number: self._shelf.frame(number)}
        return self._read[number]
