"""Move, transform and crop: where the pixels are afterwards, and that all of them come back."""

from __future__ import annotations

import math

import pytest
from canvas_bench import ALT, SHIFT, Bench
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QApplication

from studio.canvas.selection import Selection
from studio.canvas.tools.transform import Pose

SQUARE = QRect(40, 40, 40, 40)


def paint(bench: Bench, rect: QRect = SQUARE, color: str = "red") -> None:
    layer = bench.add()
    with bench.document.edit(layer, "Paint") as edit, edit.paint(rect) as painter:
        painter.fillRect(rect, QColor(color))


def bounds(bench: Bench) -> QRect:
    return bench.document.active.pixels.bounds()


@pytest.fixture
def square(bench: Bench) -> Bench:
    """A red square on a layer of its own over white."""
    bench.add("white")
    paint(bench)
    return bench


def test_a_layer_is_dragged_and_comes_back_with_one_undo(square: Bench) -> None:
    square.box.choose("move")
    steps = square.stack.count()
    square.drag((50, 50), (70, 60), (85, 45))
    assert bounds(square) == SQUARE.translated(35, -5)
    assert square.color(110, 50) == "#ffff0000"
    assert square.color(45, 60) == "#ffffffff"
    assert square.stack.count() == steps + 1
    square.undo()
    assert bounds(square) == SQUARE


def test_pixels_are_not_pulled_larger_than_a_document_can_be(square: Bench) -> None:
    square.box.choose("transform")
    square.press(80, 80)
    square.move(100, 100)
    square.move(9_500, 9_500)
    assert bounds(square).width() < 100
    square.move(90, 90)
    square.release(90, 90)
    square.key(Qt.Key.Key_Return)
    assert bounds(square) == QRect(40, 40, 50, 50)


def test_what_is_moved_out_of_the_picture_is_not_lost(square: Bench) -> None:
    square.box.choose("move")
    square.drag((50, 50), (-60, 50))
    square.drag((50, 50), (160, 50))
    assert bounds(square) == SQUARE


def test_only_what_is_selected_is_moved_and_the_selection_with_it(square: Bench) -> None:
    square.document.set_selection(Selection.from_rect(QRect(40, 40, 20, 40)))
    steps = square.stack.count()
    square.box.choose("move")
    square.drag((45, 50), (105, 60))
    assert square.color(50, 60) == "#ffffffff"
    assert square.color(65, 60) == "#ffff0000"
    assert square.color(110, 60) == "#ffff0000"
    assert square.document.selection.bounds == QRect(100, 50, 20, 40)
    assert square.stack.count() == steps + 1
    square.undo()
    assert bounds(square) == SQUARE
    assert square.document.selection.bounds == QRect(40, 40, 20, 40)


def test_arrow_keys_nudge_and_shift_goes_farther(square: Bench) -> None:
    square.box.choose("move")
    square.key(Qt.Key.Key_Right)
    square.key(Qt.Key.Key_Down, SHIFT)
    square.box.settle()
    assert bounds(square) == SQUARE.translated(1, 10)


def test_a_held_arrow_key_is_one_step(square: Bench, qtbot) -> None:
    square.box.choose("move")
    steps = square.stack.count()
    square.key(Qt.Key.Key_Right)
    for _ in range(20):
        kind, none = QEvent.Type.KeyPress, Qt.KeyboardModifier.NoModifier
        event = QKeyEvent(kind, Qt.Key.Key_Right, none, "", True)
        QApplication.sendEvent(square.view, event)
    qtbot.waitUntil(lambda: square.stack.count() == steps + 1)
    assert bounds(square) == SQUARE.translated(21, 0)
    square.undo()
    assert bounds(square) == SQUARE


def test_shift_keeps_to_one_direction(square: Bench) -> None:
    square.box.choose("move")
    square.press(50, 50)
    square.move(90, 58, SHIFT)
    square.release(90, 58, SHIFT)
    assert bounds(square) == SQUARE.translated(40, 0)


def test_a_click_is_no_step(square: Bench) -> None:
    square.box.choose("move")
    steps = square.stack.count()
    square.click(50, 50)
    assert square.stack.count() == steps


@pytest.mark.parametrize("tool", ["move", "transform"])
def test_a_locked_layer_stays_where_it_is(square: Bench, tool: str) -> None:
    square.document.change_layer(square.document.active, locked=True)
    square.box.choose(tool)
    square.drag((60, 60), (100, 60))
    square.box.settle()
    assert bounds(square) == SQUARE
    assert "locked" in square.remarks[-1]


# ---------------------------------------------------------------------- transform


@pytest.fixture
def held(square: Bench) -> Bench:
    square.box.choose("transform")
    return square


def test_a_corner_scales_against_the_opposite_one(held: Bench) -> None:
    held.drag((80, 80), (120, 100))
    held.key(Qt.Key.Key_Return)
    assert held.color(118, 98) == "#ffff0000"
    assert held.color(42, 42) == "#ffff0000"
    assert held.color(70, 110) == "#ffffffff"
    held.undo()
    assert bounds(held) == SQUARE


def test_shift_keeps_the_proportions(held: Bench) -> None:
    held.press(80, 80)
    held.move(120, 100, SHIFT)
    held.release(120, 100, SHIFT)
    held.key(Qt.Key.Key_Return)
    assert abs(bounds(held).width() - bounds(held).height()) <= 1
    assert held.color(118, 118) == "#ffff0000"


def test_alt_scales_from_the_middle(held: Bench) -> None:
    held.press(80, 60)
    held.move(100, 60, ALT)
    held.release(100, 60, ALT)
    held.key(Qt.Key.Key_Return)
    assert held.color(22, 60) == "#ffff0000"
    assert held.color(98, 60) == "#ffff0000"
    assert held.color(60, 37) == "#ffffffff"


def test_inside_moves_and_escape_gives_back(held: Bench) -> None:
    steps = held.stack.count()
    held.drag((60, 60), (120, 60))
    assert held.color(130, 60) == "#ffff0000"
    held.key(Qt.Key.Key_Escape)
    assert bounds(held) == SQUARE
    assert held.stack.count() == steps


def test_undo_on_the_canvas_gives_back_what_is_held_and_nothing_more(held: Bench) -> None:
    action = held.stack.createUndoAction(held.view)
    action.setShortcut(QKeySequence.StandardKey.Undo)
    held.view.addAction(action)
    held.drag((60, 60), (120, 60))
    held.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert bounds(held) == SQUARE
    held.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert bounds(held).isEmpty()


def test_outside_turns_around_the_middle(held: Bench) -> None:
    held.document.set_selection(Selection())
    paint(held, QRect(40, 55, 40, 10))
    held.press(100, 60)
    held.move(60, 100)
    held.release(60, 100)
    held.key(Qt.Key.Key_Return)
    turned = bounds(held)
    assert abs(turned.width() - 10) <= 2
    assert abs(turned.height() - 40) <= 2


def test_several_drags_are_one_step_made_from_the_first_pixels(held: Bench) -> None:
    steps = held.stack.count()
    held.drag((80, 80), (44, 44))
    held.drag((44, 44), (80, 80))
    held.drag((60, 60), (90, 60))
    held.box.choose("brush")
    assert held.stack.count() == steps + 1
    assert bounds(held) == SQUARE.translated(30, 0)
    assert held.color(85, 60) == "#ffff0000"


def test_the_selection_is_transformed_too(held: Bench) -> None:
    held.document.set_selection(Selection.from_rect(QRect(40, 40, 20, 20)))
    held.drag((60, 60), (80, 80))
    held.key(Qt.Key.Key_Return)
    assert held.selected(75, 75)
    held.undo()
    assert held.document.selection.bounds == QRect(40, 40, 20, 20)


def test_an_undo_while_it_is_held_gives_it_back(held: Bench) -> None:
    held.drag((60, 60), (120, 60))
    held.undo()
    held.move(150, 60)
    held.key(Qt.Key.Key_Return)
    assert held.document.active is None or bounds(held) != SQUARE.translated(60, 0)


@pytest.mark.parametrize("angle", [0.0, 0.7, -2.0])
@pytest.mark.parametrize("scale", [(1.0, 1.0), (-1.5, 0.5)])
def test_a_scaled_handle_is_where_the_hand_is_and_the_other_stays(angle, scale) -> None:
    rect = QRectF(10, 20, 40, 30)
    pose = Pose(rect, QPointF(60, 70), *scale, angle)
    stays = pose.matrix().map(rect.topLeft())
    to = QPointF(130, 40)
    after = pose.scaled((1, 1), to, keep=False, centered=False)
    assert math.dist(after.matrix().map(rect.bottomRight()).toTuple(), to.toTuple()) < 1e-6
    assert math.dist(after.matrix().map(rect.topLeft()).toTuple(), stays.toTuple()) < 1e-6


# ---------------------------------------------------------------------- crop


@pytest.fixture
def crop(square: Bench) -> Bench:
    square.box.choose("crop")
    return square


def test_a_frame_becomes_the_document_and_undo_brings_all_back(crop: Bench) -> None:
    crop.drag((30, 30), (130, 90))
    assert crop.box.crop.frame == QRect(30, 30, 100, 60)
    crop.key(Qt.Key.Key_Return)
    assert crop.document.size == QSize(100, 60)
    assert crop.color(20, 20) == "#ffff0000"
    crop.undo()
    assert crop.document.size == QSize(200, 160)
    assert crop.color(5, 150) == "#ffffffff"


def test_a_handle_of_the_picture_pulls_the_frame_beyond_it(crop: Bench) -> None:
    frames = []
    crop.box.crop.frame_changed.connect(lambda: frames.append(crop.box.crop.frame))
    crop.drag((200, 80), (240, 80))
    assert crop.box.crop.frame == QRect(0, 0, 240, 160)
    assert frames[-1] == QRect(0, 0, 240, 160)
    crop.key(Qt.Key.Key_Enter)
    assert crop.document.size == QSize(240, 160)
    assert crop.alpha(220, 80) == 0


def test_a_frame_beyond_the_view_is_brought_into_it(crop: Bench) -> None:
    crop.view.fit()
    crop.drag((200, 80), (420, 80))
    frame = crop.view.viewport.transform().mapRect(QRectF(crop.box.crop.frame))
    assert crop.box.crop.frame.width() == 420
    assert QRectF(crop.view.rect()).contains(frame)


def test_a_frame_is_moved_from_inside(crop: Bench) -> None:
    crop.drag((30, 30), (130, 90))
    crop.drag((80, 60), (100, 80))
    assert crop.box.crop.frame == QRect(50, 50, 100, 60)


def test_escape_and_another_tool_forget_the_frame(crop: Bench) -> None:
    crop.drag((30, 30), (130, 90))
    crop.key(Qt.Key.Key_Escape)
    assert crop.box.crop.frame is None
    crop.drag((30, 30), (130, 90))
    crop.box.choose("brush")
    assert crop.document.size == QSize(200, 160)
    assert crop.box.crop.frame is None


def test_proportions_are_kept(crop: Bench) -> None:
    crop.box.crop.proportions = "1 : 1"
    crop.drag((20, 20), (100, 60))
    assert crop.box.crop.frame == QRect(20, 20, 80, 80)
    crop.box.crop.proportions = "16 : 9"
    assert crop.box.crop.frame.width() / crop.box.crop.frame.height() == pytest.approx(16 / 9, 0.03)


def test_a_frame_clings_to_the_edges(crop: Bench) -> None:
    crop.drag((50, 50), (199, 158))
    assert crop.box.crop.frame == QRect(50, 50, 150, 110)


def test_a_frame_larger_than_any_document_is_refused_with_a_remark(crop: Bench) -> None:
    crop.box.crop.set_frame(QRect(0, 0, 40000, 10))
    crop.key(Qt.Key.Key_Return)
    assert crop.document.size == QSize(200, 160)
    assert crop.remarks


def test_enter_is_no_shortcut_of_the_window_while_a_frame_waits(crop: Bench, qtbot) -> None:
    from PySide6.QtGui import QAction

    action, called = QAction(crop.view), []
    action.setShortcut(Qt.Key.Key_Escape)
    action.triggered.connect(lambda: called.append(1))
    crop.view.addAction(action)
    crop.drag((30, 30), (130, 90))
    crop.key(Qt.Key.Key_Escape)
    assert not called
    assert crop.box.crop.frame is None
    crop.key(Qt.Key.Key_Escape)
    assert called
