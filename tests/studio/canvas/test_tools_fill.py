"""Bucket and eyedropper, and the flood behind the bucket against a plain one."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest
from canvas_bench import ALT, Bench
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PySide6.QtCore import QRect
from PySide6.QtGui import QColor

from studio.canvas.selection import Selection
from studio.canvas.tools.flood import connected, flood, grown

RED, BLUE, WHITE = "#ffff0000", "#ff0000ff", "#ffffffff"


def plain_flood(mask: np.ndarray, x: int, y: int) -> np.ndarray:
    """Pixel by pixel, as a textbook has it."""
    reached = np.zeros_like(mask)
    queue = deque([(y, x)] if mask[y, x] else [])
    while queue:
        row, column = queue.popleft()
        inside = 0 <= row < mask.shape[0] and 0 <= column < mask.shape[1]
        if inside and mask[row, column] and not reached[row, column]:
            reached[row, column] = True
            queue.extend(
                [(row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)]
            )
    return reached


@given(
    arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12))), st.integers(0), st.integers(0)
)
def test_what_hangs_together_is_what_a_plain_flood_finds(mask, x, y) -> None:
    x, y = x % mask.shape[1], y % mask.shape[0]
    assert (connected(mask, x, y) == plain_flood(mask, x, y)).all()


def test_a_flood_follows_a_spiral_to_its_end() -> None:
    mask = np.zeros((63, 63), bool)
    for ring in range(0, 31, 2):
        mask[ring, ring : 63 - ring] = mask[62 - ring, ring : 63 - ring] = True
        mask[ring : 63 - ring, ring] = mask[ring : 63 - ring, 62 - ring] = True
        if ring:
            mask[ring - 1, ring - 2] = mask[ring - 1, ring] = True
    assert (connected(mask, 0, 0) == plain_flood(mask, 0, 0)).all()


def test_tolerance_counts_in_every_channel() -> None:
    pixels = np.array([[[10, 10, 10], [20, 10, 10], [10, 31, 10]]], np.uint8)
    assert flood(pixels, 0, 0, 10).tolist() == [[True, True, False]]
    assert flood(pixels, 2, 0, 0, contiguous=False).tolist() == [[False, False, True]]


@pytest.mark.parametrize("by", [0, 1, 5])
def test_growing_makes_a_point_a_round_spot(by: int) -> None:
    mask = np.zeros((21, 21), bool)
    mask[10, 10] = True
    spot = grown(mask, by)
    assert np.count_nonzero(spot[10]) == 2 * by + 1
    assert np.count_nonzero(spot[:, 10]) == 2 * by + 1
    assert not spot[10 - by, 10 - by] or by == 0


@pytest.fixture
def room(bench: Bench) -> Bench:
    """White with a red frame from (40, 40) to (99, 99), four pixels thick."""
    layer = bench.add("white")
    with bench.document.edit(layer, "Frame") as edit, edit.paint(QRect(40, 40, 60, 60)) as painter:
        painter.fillRect(QRect(40, 40, 60, 60), QColor("red"))
        painter.fillRect(QRect(44, 44, 52, 52), QColor("white"))
    bench.box.choose("fill")
    bench.box.colors.foreground = QColor("blue")
    return bench


def test_the_bucket_fills_up_to_the_frame_and_is_undone(room: Bench) -> None:
    room.click(70, 70)
    assert room.color(70, 70) == BLUE
    assert room.color(44, 44) == BLUE
    assert room.color(42, 70) == RED
    assert room.color(10, 10) == WHITE
    room.undo()
    assert room.color(70, 70) == WHITE


def test_what_is_alike_elsewhere_is_filled_if_it_need_not_be_connected(room: Bench) -> None:
    room.box.tool("fill").contiguous = False
    room.click(70, 70)
    assert room.color(10, 10) == BLUE
    assert room.color(42, 70) == RED


def test_the_bucket_stays_in_the_selection(room: Bench) -> None:
    room.document.set_selection(Selection.from_rect(QRect(44, 44, 20, 52)))
    room.click(50, 70)
    assert room.color(63, 70) == BLUE
    assert room.color(64, 70) == WHITE
    room.click(80, 70)
    assert room.color(80, 70) == WHITE
    assert "selected" in room.remarks[-1]


def test_lines_on_another_layer_hold_the_paint_if_all_layers_are_looked_at(room: Bench) -> None:
    room.add()
    room.click(70, 70)
    assert room.color(10, 10) == WHITE
    room.undo()
    room.box.tool("fill").all_layers = False
    room.click(70, 70)
    assert room.color(10, 10) == BLUE
    assert room.color(42, 70) == BLUE


def test_growing_closes_the_seam_under_a_line(room: Bench) -> None:
    room.box.tool("fill").grow = 2
    room.click(70, 70)
    assert room.color(42, 70) == BLUE
    assert room.color(41, 70) == RED


def test_a_locked_layer_and_a_place_outside_are_refused(room: Bench) -> None:
    room.click(-5, -5)
    assert "inside" in room.remarks[-1]
    room.document.change_layer(room.document.active, locked=True)
    room.click(70, 70)
    assert "locked" in room.remarks[-1]
    assert room.color(70, 70) == WHITE


def test_the_bucket_fills_a_document_without_layers(bench: Bench) -> None:
    bench.box.choose("fill")
    bench.click(70, 70)
    assert bench.color(0, 0) == "#ff000000"
    assert bench.color(199, 159) == "#ff000000"


# ---------------------------------------------------------------------- eyedropper


def test_the_eyedropper_takes_the_colour_that_is_seen(room: Bench) -> None:
    room.box.choose("eyedropper")
    room.click(42, 70)
    assert room.box.colors.foreground.name() == "#ff0000"
    room.box.colors.background = QColor("green")
    room.click(70, 70, ALT)
    assert room.box.colors.background.name() == "#ffffff"
    assert room.box.colors.foreground.name() == "#ff0000"
    assert [color.name() for color in room.box.colors.recent] == ["#ffffff", "#ff0000"]


def test_a_mean_of_several_pixels(room: Bench) -> None:
    room.box.choose("eyedropper")
    room.box.tool("eyedropper").sample = "5 × 5 pixels"
    room.click(44.2, 70)
    color = room.box.colors.foreground
    assert color.red() == 255
    assert color.green() == pytest.approx(255 * 3 / 5, abs=1)


@pytest.mark.parametrize("place", [(70, 70), (-20, 70), (199.9, 159.9), (500, 500)])
def test_where_nothing_is_no_colour_is_taken(bench: Bench, place: tuple[float, float]) -> None:
    bench.box.choose("eyedropper")
    bench.box.colors.foreground = QColor("#123456")
    bench.click(*place)
    assert bench.box.colors.foreground.name() == "#123456"
