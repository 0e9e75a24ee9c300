"""Boxes: what is drawn around a mask, and the pieces around a picture."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from engine.frames import Box, around, pieces

sides = st.integers(1, 200)
sizes = st.tuples(sides, sides)


@st.composite
def boxes(draw: st.DrawFn, size: tuple[int, int]) -> Box:
    left, top = draw(st.integers(0, size[0] - 1)), draw(st.integers(0, size[1] - 1))
    right = draw(st.integers(left + 1, size[0]))
    return left, top, right, draw(st.integers(top + 1, size[1]))


@given(st.data(), sizes, sizes, st.integers(0, 50))
def test_the_box_around_a_part_holds_it_with_its_padding(
    data: st.DataObject, picture: tuple[int, int], own: tuple[int, int], padding: int
) -> None:
    part = data.draw(boxes(picture))
    left, top, right, bottom = around(part, padding, own, picture)
    assert 0 <= left <= max(0, part[0] - padding)
    assert 0 <= top <= max(0, part[1] - padding)
    assert picture[0] >= right >= min(picture[0], part[2] + padding)
    assert picture[1] >= bottom >= min(picture[1], part[3] + padding)


def test_the_box_around_a_part_has_the_proportions_of_the_model_where_there_is_room() -> None:
    assert around((40, 50, 60, 90), 10, (128, 128), (300, 300)) == (20, 40, 80, 100)
    assert around((0, 0, 10, 40), 0, (128, 128), (300, 300)) == (0, 0, 40, 40)
    assert around((0, 0, 40, 10), 0, (64, 128), (300, 300)) == (0, 0, 40, 80)
    assert around((0, 0, 100, 10), 5, (128, 128), (300, 20)) == (0, 0, 105, 20)


@st.composite
def canvases(draw: st.DrawFn) -> tuple[tuple[int, int], Box, tuple[int, int]]:
    """A canvas, what is known of it, and a piece that fits into it."""
    canvas = draw(sizes)
    known = draw(boxes(canvas))
    piece = draw(st.integers(1, canvas[0])), draw(st.integers(1, canvas[1]))
    limited = max(piece[0], canvas[0] // 12), max(piece[1], canvas[1] // 12)
    return canvas, known, limited


@given(canvases())
@example(((10, 10), (0, 0, 10, 10), (4, 4)))
@example(((10, 1), (9, 0, 10, 1), (1, 1)))
def test_pieces_cover_the_canvas_and_go_on_with_what_is_there(
    canvas_known_piece: tuple[tuple[int, int], Box, tuple[int, int]],
) -> None:
    canvas, known, piece = canvas_known_piece
    done = np.zeros((canvas[1], canvas[0]), bool)
    done[known[1] : known[3], known[0] : known[2]] = True
    for left, top, right, bottom in pieces(canvas, known, piece):
        assert 0 <= left < right <= canvas[0]
        assert 0 <= top < bottom <= canvas[1]
        assert (right - left, bottom - top) == piece
        part = done[top:bottom, left:right]
        if min(piece) > 1 and not part.all():
            assert part.any(), "a piece that knows of nothing"
        part[...] = True
    assert done.all()


def test_pieces_show_half_a_piece_of_what_is_there() -> None:
    assert list(pieces((192, 128), (0, 0, 128, 128), (128, 128))) == [(64, 0, 192, 128)]
    assert list(pieces((256, 128), (0, 0, 128, 128), (128, 128))) == [
        (64, 0, 192, 128),
        (128, 0, 256, 128),
    ]
    assert list(pieces((128, 100), (0, 60, 128, 100), (128, 100))) == [(0, 0, 128, 100)]


def test_a_tall_picture_goes_on_in_pieces_that_overlap() -> None:
    found = list(pieces((200, 300), (0, 0, 150, 300), (100, 100)))
    assert [box[0] for box in found] == [100] * len(found)
    tops = [box[1] for box in found]
    assert tops[0] == 0
    assert tops[-1] == 200
    assert all(0 < after - before <= 75 for before, after in pairwise(tops))
