"""Brush and eraser by mouse and pen: what is on the layer afterwards."""

from __future__ import annotations

import numpy as np
import pytest
from canvas_bench import ALT, NONE, SHIFT, Bench
from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import QColor, QInputDevice, QPointingDevice

from studio.canvas.layer import LayerKind
from studio.canvas.selection import Selection
from studio.images import to_array

RED = "#ffff0000"


@pytest.fixture
def brush(bench: Bench) -> Bench:
    bench.add()
    bench.box.choose("brush")
    bench.box.colors.foreground = QColor("red")
    tool = bench.box.tool("brush")
    tool.size, tool.hardness = 20, 100
    return bench


def alphas(bench: Bench) -> np.ndarray:
    return to_array(bench.document.composite())[:, :, 3]


def test_a_click_leaves_a_disc_of_the_brushs_size(brush: Bench) -> None:
    brush.click(50, 50)
    assert brush.color(50, 50) == RED
    assert [brush.alpha(x, 50) for x in (36, 64)] == [0, 0]
    assert np.count_nonzero(alphas(brush) > 127) == pytest.approx(np.pi * 100, rel=0.04)


def test_a_fast_stroke_has_no_gaps_and_an_even_edge(brush: Bench) -> None:
    brush.drag((20, 80), (100, 80), (180, 80))
    band = alphas(brush)[:, 20:180]
    assert (band[72:88] == 255).all()
    heights = np.count_nonzero(band > 127, axis=0)
    assert heights.min() >= 18
    assert heights.max() <= 20


def test_a_stroke_reaches_the_place_where_it_was_let_go(brush: Bench) -> None:
    brush.drag((20, 20), (60, 90), (170, 140))
    assert brush.color(170, 140) == RED


def test_one_stroke_is_one_step_back_and_forth(brush: Bench) -> None:
    steps = brush.stack.count()
    brush.drag((20, 80), (100, 40), (180, 80))
    after = alphas(brush)
    assert brush.stack.count() == steps + 1
    brush.undo()
    assert not alphas(brush).any()
    brush.stack.redo()
    assert (alphas(brush) == after).all()


def test_a_stroke_never_gets_denser_than_its_opacity(brush: Bench) -> None:
    brush.box.tool("brush").opacity = 50
    brush.drag((20, 80), (100, 80), (20, 80), (100, 80))
    assert brush.alpha(60, 80) == pytest.approx(128, abs=2)
    brush.drag((20, 80), (100, 80))
    assert brush.alpha(60, 80) == pytest.approx(191, abs=3)


def test_little_flow_builds_up_along_the_stroke(brush: Bench) -> None:
    brush.box.tool("brush").flow = 10
    brush.click(50, 50)
    assert brush.alpha(50, 50) == pytest.approx(26, abs=3)
    brush.drag((120, 100), (140, 100), (120, 100))
    assert brush.alpha(130, 100) > 80


def test_a_soft_brush_fades_towards_its_edge(brush: Bench) -> None:
    brush.box.tool("brush").hardness = 0
    brush.click(50, 50)
    row = alphas(brush)[50, 50:62].astype(int)
    assert row[0] > 240
    assert (np.diff(row) <= 0).all()
    assert 60 < row[5] < 200


def test_shift_draws_a_straight_line_from_the_last_stroke(brush: Bench) -> None:
    brush.click(20, 20)
    brush.click(120, 120, SHIFT)
    assert all(brush.color(i, i) == RED for i in range(20, 121, 10))
    assert brush.alpha(120, 20) == 0


def test_the_pens_pressure_sets_the_size(brush: Bench) -> None:
    kinds = QEvent.Type
    for y, pressure in ((40, 0.25), (100, 1.0)):
        brush.pen(kinds.TabletPress, 40, y, pressure)
        brush.pen(kinds.TabletMove, 100, y, pressure)
        brush.pen(kinds.TabletRelease, 100, y, pressure)
    heights = np.count_nonzero(alphas(brush)[:, 70].reshape(2, 80) > 127, axis=1)
    assert heights[0] == pytest.approx(5, abs=1)
    assert heights[1] == pytest.approx(20, abs=1)


def test_pressure_can_set_the_flow_instead(brush: Bench) -> None:
    brush.box.tool("brush").pressure = "flow"
    brush.pen(QEvent.Type.TabletPress, 50, 50, 0.5)
    brush.pen(QEvent.Type.TabletRelease, 50, 50, 0.5)
    assert brush.alpha(50, 50) == pytest.approx(128, abs=2)
    assert brush.alpha(58, 50) == pytest.approx(128, abs=2)


def test_the_other_end_of_the_pen_erases(brush: Bench) -> None:
    brush.click(50, 50)
    kinds = QPointingDevice.PointerType
    pen = QPointingDevice(
        *("pen", 7, QInputDevice.DeviceType.Stylus, kinds.Eraser),
        *(QInputDevice.Capability.Pressure, 1, 2),
    )
    brush.pen(QEvent.Type.TabletPress, 50, 50, 1.0, pen)
    brush.pen(QEvent.Type.TabletRelease, 50, 50, 1.0, pen)
    assert brush.alpha(50, 50) == 0
    assert brush.box.current.id == "brush"


def test_only_what_is_selected_is_painted(brush: Bench) -> None:
    brush.document.set_selection(Selection.from_rect(QRect(0, 0, 50, 160)))
    brush.drag((20, 80), (100, 80))
    assert brush.color(49, 80) == RED
    assert brush.alpha(50, 80) == 0


def test_the_eraser_makes_transparent_and_undo_brings_it_back(bench: Bench) -> None:
    bench.add("blue")
    bench.box.choose("eraser")
    bench.drag((50, 50), (100, 50))
    assert bench.alpha(75, 50) == 0
    assert bench.color(75, 90) == "#ff0000ff"
    bench.undo()
    assert bench.color(75, 50) == "#ff0000ff"


def test_brackets_change_size_and_hardness(brush: Bench) -> None:
    tool = brush.box.tool("brush")
    brush.key(Qt.Key.Key_BracketRight)
    assert tool.size == 23
    brush.key(Qt.Key.Key_BracketLeft)
    assert tool.size == 20
    brush.key(Qt.Key.Key_BraceLeft, SHIFT)
    assert tool.hardness == 90
    for _ in range(40):
        brush.key(Qt.Key.Key_BracketLeft)
    assert tool.size == 1


def test_alt_takes_a_colour_instead(brush: Bench) -> None:
    brush.document.remove_layer(brush.document.active)
    brush.add("#336699")
    brush.click(50, 50, ALT)
    assert brush.box.colors.foreground.name() == "#336699"
    assert brush.color(50, 50) == "#ff336699"


@pytest.mark.parametrize("tool", ["brush", "eraser"])
@pytest.mark.parametrize(
    ("values", "word"), [({"locked": True}, "locked"), ({"visible": False}, "hidden")]
)
def test_a_locked_or_hidden_layer_refuses_with_a_remark(
    brush: Bench, tool: str, values: dict, word: str
) -> None:
    layer = brush.add("blue", "Sky")
    brush.document.change_layer(layer, **values)
    steps = brush.stack.count()
    brush.box.choose(tool)
    brush.drag((50, 50), (80, 50))
    assert brush.stack.count() == steps
    assert "Sky" in brush.remarks[-1]
    assert word in brush.remarks[-1]


def test_painting_on_a_document_without_layers_makes_one(bench: Bench) -> None:
    bench.drag((50, 50), (80, 50))
    assert [layer.kind for layer in bench.document.layers] == [LayerKind.RASTER]
    assert bench.alpha(65, 50) == 255


def test_a_stroke_may_leave_the_picture_and_come_back(brush: Bench) -> None:
    brush.drag((190, 80), (260, 80), (260, 20), (190, 20))
    assert brush.color(199, 80) == RED
    assert brush.color(199, 20) == RED
    assert brush.document.layers[0].pixels.bounds().right() <= 199


def test_an_undo_in_the_middle_of_a_stroke_ends_it(brush: Bench) -> None:
    brush.click(20, 20)
    brush.press(50, 80)
    brush.move(100, 80)
    brush.undo()
    brush.move(150, 80)
    brush.release(150, 80)
    assert not alphas(brush).any()


def test_the_ring_is_seen_where_the_brush_is(brush: Bench) -> None:
    brush.box.tool("brush").size = 60
    before = brush.view.grab().toImage()
    brush.move(100, 80, NONE)
    after = brush.view.grab().toImage()
    left = brush.at(70, 80)
    strip = QRect(left.x() - 3, left.y(), 6, 1)
    assert before.copy(strip) != after.copy(strip)
    assert brush.view.cursor().shape() == Qt.CursorShape.BlankCursor


def test_a_large_document_can_be_painted_beyond_one_tile(qtbot) -> None:
    bench = Bench(qtbot, QSize(900, 700))
    bench.view.fit()
    bench.box.tool("brush").size = 120
    bench.drag((100, 100), (800, 600))
    line = [bench.alpha(100 + 7 * i, 100 + 5 * i) for i in range(101)]
    assert min(line) == 255
