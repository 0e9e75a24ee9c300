"""Which parts of a picture are drawn: boxes in whole pixels. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Iterator

Size = tuple[int, int]
"""Width and height."""
Box = tuple[int, int, int, int]
"""Left, top, right, bottom, as Pillow has them."""


def around(part: Box, padding: int, own: Size, picture: Size) -> Box:
    """The box around `part`: so many pixels more on each side, then grown to the proportions of
    the model's `own` size, all as far as the picture reaches.
    """
    left, right = max(part[0] - padding, 0), min(part[2] + padding, picture[0])
    top, bottom = max(part[1] - padding, 0), min(part[3] + padding, picture[1])
    width = max(right - left, -(-(bottom - top) * own[0] // own[1]))
    height = max(bottom - top, -(-(right - left) * own[1] // own[0]))
    left, right = _grown(left, right, width, picture[0])
    top, bottom = _grown(top, bottom, height, picture[1])
    return left, top, right, bottom


def _grown(start: int, end: int, length: int, limit: int) -> Size:
    """The stretch of `length`, or of all there is, with this one as near its middle as can be."""
    length = min(length, limit)
    start = min(max((start + end - length) // 2, 0), limit - length)
    return start, start + length


def pieces(canvas: Size, known: Box, piece: Size) -> Iterator[Box]:
    """Boxes of the size `piece` that together cover all of the canvas outside of `known`.

    From the known part outwards; each shows at least half a piece of what is known or was drawn
    before it, in the direction in which it goes on. First to the left and right, then above and
    below over the whole width. `piece` must fit into the canvas.
    """
    done = known
    for side in (0, 2, 1, 3):  # left, right, top, bottom
        axis = side % 2
        while done[side] != (0, 0, *canvas)[side]:
            step = max(1, piece[axis] // 2)
            edge = max(0, done[side] - step) if side < 2 else min(canvas[axis], done[side] + step)
            start = _fit(edge if side < 2 else edge - piece[axis], piece[axis], canvas[axis])
            reached = start if side < 2 else start + piece[axis]
            for across in _starts(
                done[1 - axis], done[3 - axis], piece[1 - axis], canvas[1 - axis]
            ):
                left, top = (start, across) if axis == 0 else (across, start)
                yield left, top, left + piece[0], top + piece[1]
            done = (*done[:side], reached, *done[side + 1 :])  # type: ignore[assignment]


def _fit(start: int, length: int, limit: int) -> int:
    return min(max(start, 0), limit - length)


def _starts(start: int, end: int, length: int, limit: int) -> Iterator[int]:
    """Where stretches of `length` begin that cover start…end, overlapping by a quarter or more."""
    if end - start <= length:
        yield _fit((start + end - length) // 2, length, limit)
        return
    way = end - start - length
    count = -(-way // max(1, length * 3 // 4))
    yield from (start + way * number // count for number in range(count + 1))
