"""A picture goes through a network tile by tile: bounded memory, quick stops, and no seams."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.errors import EngineError
from engine.events import Preview, Progress, Report

EDGE = 18
"""Pixels that the outermost ones are repeated beyond the picture; the network sees no black."""
PREVIEW = 384
"""Pixels of the longer side of what is shown while the tiles come in."""

Pixels = NDArray[np.uint8]
"""Height, width, channels."""
Planes = NDArray[np.float32]
"""Channels, height, width; 0 to 1."""
Tick = Callable[[int], None]
"""Told between the parts of a tile which one comes next; raises Cancelled."""


class Network(Protocol):
    """What makes a picture `scale` times as wide and high of another."""

    @property
    def scale(self) -> int: ...
    @property
    def margin(self) -> int:
        """How many pixels around a pixel matter to it: a tile is given so much more."""

    @property
    def fade(self) -> int:
        """Over how many pixels tiles pass into each other, where the margin is an estimate."""

    @property
    def tile(self) -> int:
        """Pixels of a tile's side."""

    @property
    def parts(self) -> int:
        """Into how many steps the work on a tile is divided."""

    def run(self, planes: Planes, tick: Tick) -> Planes:
        """Three planes; the result may lack the same number of pixels on each side."""


Through = Callable[[Pixels, Callable[[Pixels], Pixels]], Pixels]
"""What becomes of a tile, given what becomes of its colours."""


@dataclass(frozen=True)
class _Box:
    top: int
    left: int
    bottom: int
    right: int


def run_tiled(
    network: Network, pixels: Pixels, report: Report, stage: str, *, scale: int, through: Through
) -> Pixels:
    """The whole picture, `scale` times as wide and high: a divisor of the network's own scale."""
    height, width, channels = pixels.shape
    result = np.empty((height * scale, width * scale, channels), np.uint8)
    shown = _Shown(pixels)
    boxes = list(_boxes(height, width, network.tile))
    steps = len(boxes) * network.parts
    for number, box in enumerate(boxes):

        def tick(part: int, first: int = number * network.parts) -> None:
            report(Progress(first + part, steps, stage))

        tick(0)
        grown = _grown(box, network.fade, height, width)
        tile = _enlarge_tile(network, pixels, grown, scale, through, tick)
        _paste(result, tile, box, grown, scale)
        if len(boxes) > 1:
            report(Preview(shown.with_tile(result, box, scale)))
    report(Progress(steps, steps, stage))
    return result


def colors_only(tile: Pixels, enlarge: Callable[[Pixels], Pixels]) -> Pixels:
    """For pictures without opacity."""
    return enlarge(tile)


def _boxes(height: int, width: int, tile: int) -> Iterator[_Box]:
    for top in range(0, height, tile):
        for left in range(0, width, tile):
            yield _Box(top, left, min(top + tile, height), min(left + tile, width))


def _grown(box: _Box, by: int, height: int, width: int) -> _Box:
    return _Box(
        max(0, box.top - by),
        max(0, box.left - by),
        min(height, box.bottom + by),
        min(width, box.right + by),
    )


def _enlarge_tile(
    network: Network, pixels: Pixels, box: _Box, scale: int, through: Through, tick: Tick
) -> Pixels:
    height, width = pixels.shape[:2]
    rows, above = _with_margin(box.top, box.bottom, height, network.margin)
    columns, before = _with_margin(box.left, box.right, width, network.margin)
    tile = pixels[rows[:, None], columns]

    def enlarge(colors: Pixels) -> Pixels:
        planes = np.ascontiguousarray(colors.transpose(2, 0, 1), np.float32)
        planes /= 255
        made = network.run(planes, tick)
        lost = (planes.shape[1] * network.scale - made.shape[1]) // 2
        top, left = above * network.scale - lost, before * network.scale - lost
        tall, wide = (box.bottom - box.top) * network.scale, (box.right - box.left) * network.scale
        made = made[:, top : top + tall, left : left + wide].clip(0, 1)
        made = _shrunk(made, network.scale // scale)
        if not np.isfinite(made).all():
            raise EngineError(
                "What the network made of the picture are no numbers.",
                "Its weights may be damaged, or need more precision than they are run in; "
                "choose others.",
            )
        return (made.transpose(1, 2, 0) * 255).round().astype(np.uint8)

    return through(tile, enlarge)


def _with_margin(first: int, last: int, size: int, margin: int) -> tuple[NDArray[np.intp], int]:
    """Which pixels a tile is given along one side, and how many of them come before its own."""
    begin = first - margin if first > margin else -EDGE
    end = last + margin if last + margin < size else size + EDGE
    return np.arange(begin, end).clip(0, size - 1), first - begin


def _shrunk(planes: Planes, by: int) -> Planes:
    """Each square of pixels becomes their mean."""
    if by == 1:
        return planes
    channels, height, width = planes.shape
    squares = planes.reshape(channels, height // by, by, width // by, by)
    means: Planes = squares.mean(axis=(2, 4), dtype=np.float32)
    return means


def _paste(result: Pixels, tile: Pixels, box: _Box, grown: _Box, scale: int) -> None:
    """Over what is there already, beginning softly above and at the left."""
    place = result[
        grown.top * scale : grown.bottom * scale, grown.left * scale : grown.right * scale
    ]
    down = _ramp(len(place), 2 * (box.top - grown.top) * scale)
    along = _ramp(place.shape[1], 2 * (box.left - grown.left) * scale)
    weight = np.minimum(down[:, None], along)[..., None]
    if weight.min() == 1:
        place[:] = tile
    else:
        there = place.astype(np.float32)
        place[:] = (there + weight * (tile - there)).round()


def _ramp(length: int, rise: int) -> NDArray[np.float32]:
    """From 0 to 1 over the first `rise`, then 1."""
    rising = (np.arange(length, dtype=np.float32) + 0.5) / max(1, rise)
    return rising.clip(0, 1) if rise else np.ones(length, np.float32)


class _Shown:
    """The picture at the size of a preview, tile by tile replaced by what became of it."""

    def __init__(self, pixels: Pixels) -> None:
        height, width = pixels.shape[:2]
        self._factor = min(1.0, PREVIEW / max(height, width))
        size = (max(1, round(width * self._factor)), max(1, round(height * self._factor)))
        self._image = Image.fromarray(pixels).resize(size, Image.Resampling.BOX)

    def with_tile(self, result: Pixels, box: _Box, scale: int) -> Image.Image:
        left, top = round(box.left * self._factor), round(box.top * self._factor)
        right, bottom = round(box.right * self._factor), round(box.bottom * self._factor)
        if right > left and bottom > top:
            own = result[box.top * scale : box.bottom * scale, box.left * scale : box.right * scale]
            size = (right - left, bottom - top)
            small = Image.fromarray(own).resize(size, Image.Resampling.BOX)
            self._image.paste(small, (left, top))
        return self._image.copy()
