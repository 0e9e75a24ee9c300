"""Rectangle, ellipse, lasso and mask brush: what is selected afterwards."""

from __future__ import annotations

import pytest
from canvas_bench import ALT, SHIFT, Bench
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor

from studio.canvas.layer import Layer, LayerKind
from studio.canvas.selection import Selection

BOX = QRect(20, 20, 60, 40)


def bounds(bench: Bench) -> QRect:
    return bench.document.selection.bounds


def choose(bench: Bench, id: str) -> None:
    bench.box.choose(id)


@pytest.fixture
def rectangle(bench: Bench) -> Bench:
    choose(bench, "rectangle")
    bench.drag((20, 20), (50, 30), (80, 60))
    return bench


def test_a_rectangle_is_selected_to_the_pixel_and_undone(rectangle: Bench) -> None:
    assert bounds(rectangle) == BOX
    rectangle.undo()
    assert rectangle.document.selection.is_empty


def test_any_corner_may_come_first(bench: Bench) -> None:
    choose(bench, "rectangle")
    bench.drag((80, 60), (20, 20))
    assert bounds(bench) == BOX


def test_shift_adds_alt_subtracts_and_both_intersect(rectangle: Bench) -> None:
    rectangle.drag((100, 100), (140, 120), keys=SHIFT)
    assert rectangle.selected(30, 30)
    assert rectangle.selected(120, 110)
    rectangle.drag((20, 20), (40, 60), keys=ALT)
    assert not rectangle.selected(30, 30)
    assert rectangle.selected(50, 30)
    rectangle.drag((0, 0), (60, 160), keys=SHIFT | ALT)
    assert bounds(rectangle) == QRect(40, 20, 20, 40)


def test_the_mode_of_the_tool_does_the_same_without_keys(rectangle: Bench) -> None:
    rectangle.box.tool("rectangle").mode = "subtract"
    rectangle.drag((20, 20), (40, 60))
    assert bounds(rectangle) == QRect(40, 20, 40, 40)


def test_a_click_selects_nothing_but_not_while_adding(rectangle: Bench) -> None:
    for keys in (SHIFT, ALT, SHIFT | ALT):
        rectangle.click(150, 150, keys)
        assert bounds(rectangle) == BOX
    rectangle.click(150, 150)
    assert rectangle.document.selection.is_empty


def test_shift_while_dragging_makes_a_square(bench: Bench) -> None:
    choose(bench, "rectangle")
    bench.press(20, 20)
    bench.move(80, 40, SHIFT)
    bench.release(80, 40, SHIFT)
    assert bounds(bench) == QRect(20, 20, 60, 60)


def test_a_selection_may_reach_beyond_the_picture(bench: Bench) -> None:
    choose(bench, "rectangle")
    bench.drag((150, 100), (240, 150))
    assert bounds(bench) == QRect(150, 100, 90, 50)


def test_escape_forgets_what_is_being_drawn(bench: Bench) -> None:
    choose(bench, "rectangle")
    bench.press(20, 20)
    bench.move(80, 60)
    bench.key(Qt.Key.Key_Escape)
    bench.release(80, 60)
    assert bench.document.selection.is_empty


def test_an_ellipse_leaves_out_its_corners(bench: Bench) -> None:
    choose(bench, "ellipse")
    bench.drag((20, 20), (100, 80))
    assert bench.selected(60, 50)
    assert bench.selected(22, 50)
    assert not bench.selected(24, 24)


def test_feather_fades_the_edge(bench: Bench) -> None:
    choose(bench, "rectangle")
    bench.box.tool("rectangle").feather = 10
    bench.drag((50, 50), (150, 130))
    mask = bench.document.selection.mask(QRect(40, 90, 40, 1))[0]
    assert 100 < mask[10] < 150
    assert mask[0] < mask[10] < mask[20]


def test_a_lasso_selects_what_it_goes_around(bench: Bench) -> None:
    choose(bench, "lasso")
    bench.drag((20, 20), (100, 20), (60, 100))
    assert bench.selected(60, 40)
    assert not bench.selected(25, 80)


def test_a_lasso_that_crosses_itself_leaves_no_hole(bench: Bench) -> None:
    choose(bench, "lasso")
    bench.drag((40, 40), (100, 40), (100, 100), (40, 100), (40, 41), (100, 42), (100, 99), (40, 99))
    assert bench.selected(70, 70)


# ---------------------------------------------------------------------- mask brush


def test_the_mask_brush_paints_the_selection_in_one_step(bench: Bench) -> None:
    choose(bench, "mask_brush")
    bench.drag((50, 50), (120, 50))
    assert bench.selected(85, 50)
    assert bench.selected(85, 78)
    assert not bench.selected(85, 90)
    assert bench.document.is_empty
    assert bench.stack.count() == 1
    bench.undo()
    assert bench.document.selection.is_empty


def test_the_mask_brush_erases_with_alt_or_its_option(bench: Bench) -> None:
    bench.document.set_selection(Selection.from_rect(bench.document.rect))
    choose(bench, "mask_brush")
    bench.click(50, 50, ALT)
    assert not bench.selected(50, 50)
    bench.box.tool("mask_brush").erase = True
    bench.click(150, 50)
    assert not bench.selected(150, 50)
    assert bench.selected(100, 120)


def test_a_soft_mask_brush_selects_in_part(bench: Bench) -> None:
    choose(bench, "mask_brush")
    bench.box.tool("mask_brush").hardness = 0
    bench.click(100, 80)
    mask = bench.document.selection.mask(QRect(100, 80, 30, 1))[0]
    assert mask[0] > 240
    assert 50 < mask[16] < 200


def test_the_mask_brush_reaches_beyond_the_picture(bench: Bench) -> None:
    choose(bench, "mask_brush")
    bench.drag((180, 80), (215, 80))
    assert bench.document.selection.bounds.right() > 205


def test_the_mask_brush_near_the_side_masks_the_picture_alone(bench: Bench) -> None:
    choose(bench, "mask_brush")
    bench.drag((60, 10), (185, 10))
    selected = bench.document.selection
    assert bench.document.rect.contains(selected.bounds), "else Generate would extend by a sliver"
    assert bench.selected(100, 0)


def test_what_is_being_masked_is_seen(bench: Bench) -> None:
    bench.add("white")
    choose(bench, "mask_brush")
    before = bench.view.grab().toImage().pixelColor(bench.at(60, 50))
    bench.press(50, 50)
    bench.move(80, 50)
    assert bench.view.grab().toImage().pixelColor(bench.at(60, 50)) != before


def test_on_a_mask_layer_the_mask_brush_paints_the_layer(bench: Bench) -> None:
    layer = bench.document.add_layer(Layer("Mask 1", LayerKind.MASK))
    choose(bench, "mask_brush")
    bench.click(50, 50)
    assert layer.pixels.image(QRect(50, 50, 1, 1)).pixelColor(0, 0).alpha() == 255
    assert bench.document.selection.is_empty
    bench.document.change_layer(layer, locked=True)
    bench.click(120, 50)
    assert "locked" in bench.remarks[-1]


def test_where_a_layer_has_nothing_there_is_nothing_to_erase_or_select(bench: Bench) -> None:
    from studio.canvas import selection_deeds as deeds

    layer = bench.add()
    steps = bench.document.undo_stack.count()
    deeds.erase_selected(bench.document, layer)
    deeds.select_pixels(bench.document, layer)
    assert bench.document.undo_stack.count() == steps
    beyond = Selection.from_rect(QRect(500, 500, 20, 20))
    bench.document.set_selection(beyond)
    deeds.fill_selected(bench.document, layer, QColor("red"))
    assert layer.pixels.is_empty


def test_selecting_by_pixels_and_filling_the_selection(bench: Bench) -> None:
    from studio.canvas import selection_deeds as deeds

    layer = bench.add()
    with bench.document.edit(layer, "Paint") as edit, edit.paint(QRect(10, 10, 20, 20)) as painter:
        painter.fillRect(QRect(10, 10, 20, 20), QColor("red"))
    deeds.select_pixels(bench.document, layer)
    assert bounds(bench) == QRect(10, 10, 20, 20)
    deeds.fill_selected(bench.document, layer, QColor("blue"))
    assert bench.color(15, 15) == "#ff0000ff"
    deeds.invert_selection(bench.document)
    assert not bench.selected(15, 15)
    assert bench.selected(50, 50)
    deeds.select_none(bench.document)
    deeds.erase_selected(bench.document, layer)
    assert bench.document.is_empty
    deeds.select_all(bench.document)
    assert bounds(bench) == QRect(0, 0, 200, 160)
    assert bench.document.size == QSize(200, 160)
