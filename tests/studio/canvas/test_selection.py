"""Selections against masks of whole pixels; their outlines against the pixels they go around."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PySide6.QtCore import QPoint, QPointF, QRect, QSize
from PySide6.QtGui import QColor, QImage, QPainterPath, QPolygonF

from studio.canvas.outline import outline
from studio.canvas.selection import Selection
from studio.canvas.tiles import FORMAT

AREA = QRect(-20, -20, 60, 60)

masks = arrays.arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12)))
places = st.builds(QPoint, st.integers(-10, 10), st.integers(-10, 10))
selections = st.builds(Selection, masks, places)


@given(mask=masks, place=places)
def test_a_selection_is_its_mask_and_no_larger(mask, place) -> None:
    selection = Selection(mask, place)
    height, width = mask.shape
    assert (selection.mask(QRect(place, QSize(width, height))) == mask).all()
    assert selection.is_empty == (not mask.any())
    inside = selection.mask(selection.bounds)
    if not selection.is_empty:
        assert inside[0].any() and inside[-1].any() and inside[:, 0].any() and inside[:, -1].any()


@given(first=selections, second=selections)
def test_joining_is_joining_the_masks(first: Selection, second: Selection) -> None:
    a, b = first.mask(AREA), second.mask(AREA)
    assert (first.union(second).mask(AREA) == np.maximum(a, b)).all()
    assert (first.intersect(second).mask(AREA) == np.minimum(a, b)).all()
    assert (first.subtract(second).mask(AREA) == np.minimum(a, 255 - b)).all()


@given(selection=selections)
def test_inverting_twice_is_what_is_inside_the_document(selection: Selection) -> None:
    size = QSize(15, 9)
    inside = selection.intersect(Selection.from_rect(QRect(QPoint(), size)))
    assert selection.inverted(size).inverted(size) == inside


@given(selection=selections)
def test_an_image_of_it_can_be_selected_again(selection: Selection) -> None:
    assert Selection.from_image(selection.image(), selection.bounds.topLeft()) == selection
    assert selection.image(AREA).format() == QImage.Format.Format_Alpha8


def test_everything_of_a_large_document_needs_no_memory() -> None:
    everything = Selection.from_rect(QRect(0, 0, 16384, 4096))
    assert everything.is_plain
    assert everything.bounds == QRect(0, 0, 16384, 4096)
    assert everything.moved(QPoint(5, 5)).is_plain
    assert everything.inverted(QSize(16384, 4096)).is_empty


@pytest.mark.parametrize("rect", [QRect(), QRect(5, 5, 0, 9)])
def test_nothing_is_selected_by_an_empty_rectangle(rect) -> None:
    assert Selection.from_rect(rect).is_empty


def test_a_rectangle_drawn_backwards_is_one() -> None:
    backwards = QRect(QPoint(20, 30), QPoint(9, 9))
    assert Selection.from_rect(backwards).bounds == backwards.normalized()


def test_a_polygon_has_a_smooth_edge_and_may_be_a_line() -> None:
    corners = [QPointF(0, 0), QPointF(20, 0), QPointF(0, 20)]
    mask = Selection.from_polygon(QPolygonF(corners)).mask(QRect(0, 0, 20, 20))
    assert mask[2, 2] == 255
    assert mask[19, 19] == 0
    assert 50 < mask[9, 10] < 205
    assert Selection.from_polygon(QPolygonF([QPointF(3, 3), QPointF(9, 3)])).is_empty


def test_an_opaque_image_selects_by_brightness_and_another_by_opacity() -> None:
    image = QImage(2, 1, QImage.Format.Format_RGB32)
    image.setPixelColor(0, 0, QColor("white"))
    image.setPixelColor(1, 0, QColor("black"))
    assert Selection.from_image(image).bounds == QRect(0, 0, 1, 1)
    image = QImage(2, 1, FORMAT)
    image.fill(QColor(0, 0, 0, 255))
    image.setPixelColor(0, 0, QColor(0, 0, 0, 0))
    assert Selection.from_image(image, QPoint(5, 5)).bounds == QRect(6, 5, 1, 1)


def test_a_feather_fades_evenly_to_both_sides_and_beyond_the_edge() -> None:
    soft = Selection.from_rect(QRect(0, 0, 200, 200)).feathered(20)
    row = soft.mask(QRect(-60, 100, 120, 1))[0].astype(int)
    assert row[0] == 0 and row[-1] == 255
    assert (np.diff(row) >= 0).all()
    assert abs(int(row[59]) + int(row[60]) - 255) <= 6
    assert row[60 - 8] > 20 and row[60 + 8] < 235
    assert Selection().feathered(5).is_empty
    assert soft.feathered(0) is soft


def test_contains_asks_for_at_least_half() -> None:
    selection = Selection(np.array([[127, 128]], np.uint8))
    assert not selection.contains(QPoint(0, 0))
    assert selection.contains(QPoint(1, 0))
    assert not selection.contains(QPoint(9, 9))


# ------------------------------------------------------------------ outlines


@given(mask=arrays.arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_an_outline_goes_around_exactly_what_is_selected(mask) -> None:
    path = outline(mask)
    height, width = mask.shape
    for y in range(height):
        for x in range(width):
            assert path.contains(QPointF(x + 0.5, y + 0.5)) == mask[y, x]
    assert _length(path) == _edges(mask)


def test_an_outline_has_no_more_corners_than_it_needs() -> None:
    path = Selection.from_rect(QRect(5, 7, 1000, 900)).outline()
    assert path.elementCount() <= 6
    assert path.boundingRect().toRect() == QRect(5, 7, 1000, 900)


def _length(path: QPainterPath) -> float:
    return sum(
        abs(b.x() - a.x()) + abs(b.y() - a.y())
        for polygon in path.toSubpathPolygons()
        for a, b in zip(polygon.toList(), polygon.toList()[1:], strict=False)
    )


def _edges(mask) -> int:
    padded = np.pad(mask, 1).astype(int)
    return int(np.abs(np.diff(padded, axis=0)).sum() + np.abs(np.diff(padded, axis=1)).sum())
