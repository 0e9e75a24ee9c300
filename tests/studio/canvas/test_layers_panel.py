"""The layers panel by mouse and keyboard, and what it does to the document."""

from __future__ import annotations

import numpy as np
import pytest
from canvas_bench import Bench
from PySide6.QtCore import QModelIndex, QPoint, QRect, Qt, QTimer
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu

from studio.canvas.document import Document
from studio.canvas.layer import BlendMode, LayerKind
from studio.images import to_array
from studio.widgets.layer_row import eye_rect, lock_rect, name_rect
from studio.widgets.layers_panel import LayersPanel

LEFT = Qt.MouseButton.LeftButton


class Stack:
    """A bench with red, green and blue layers, the blue one on top and active, and its panel."""

    def __init__(self, bench: Bench, panel: LayersPanel) -> None:
        self.bench, self.panel = bench, panel
        self.document, self.list = bench.document, panel.list
        self.remarks: list[str] = []
        panel.remark.connect(self.remarks.append)

    def names(self) -> list[str]:
        """From the top down, as they are seen."""
        model = self.list.model()
        return [model.index(row, 0).data() for row in range(model.rowCount())]

    def row(self, name: str) -> QRect:
        index = self.list.model().index(self.names().index(name), 0)
        return self.list.visualRect(index)

    def click(self, place: QPoint) -> None:
        QTest.mouseClick(self.list.viewport(), LEFT, pos=place)

    def key(self, key: Qt.Key) -> None:
        QTest.keyClick(self.list, key)

    def layer(self, name: str):
        return next(layer for layer in self.document.layers if layer.name == name)


@pytest.fixture
def stack(bench: Bench, qtbot) -> Stack:
    for color in ("red", "green", "blue"):
        bench.add(color, color)
    panel = LayersPanel(bench.document)
    qtbot.addWidget(panel)
    panel.resize(260, 400)
    panel.show()
    return Stack(bench, panel)


def test_the_topmost_layer_is_first_and_the_active_one_marked(stack: Stack) -> None:
    assert stack.names() == ["blue", "green", "red"]
    assert stack.list.currentIndex().row() == 0
    stack.document.set_active(stack.layer("red"))
    assert stack.list.currentIndex().row() == 2


def test_a_click_on_a_row_makes_the_layer_active(stack: Stack) -> None:
    stack.click(name_rect(stack.row("green")).center())
    assert stack.document.active is stack.layer("green")


def test_eye_and_lock_turn_over_without_choosing_the_layer(stack: Stack) -> None:
    stack.click(eye_rect(stack.row("red")).center())
    assert not stack.layer("red").visible
    stack.click(lock_rect(stack.row("red")).center())
    assert stack.layer("red").locked
    assert stack.document.active is stack.layer("blue")
    stack.bench.undo()
    stack.bench.undo()
    assert stack.layer("red").visible
    assert not stack.layer("red").locked


def test_a_name_is_edited_in_place(stack: Stack, qtbot) -> None:
    stack.click(name_rect(stack.row("blue")).center())
    QTest.mouseDClick(stack.list.viewport(), LEFT, pos=name_rect(stack.row("blue")).center())
    editor = stack.list.viewport().findChild(QLineEdit)
    assert editor.text() == "blue"
    editor.selectAll()
    QTest.keyClicks(editor, "  Sky  ")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: stack.names()[0] == "Sky")
    stack.bench.undo()
    assert stack.names()[0] == "blue"


def test_an_empty_name_is_not_taken(stack: Stack) -> None:
    model = stack.list.model()
    assert not model.setData(model.index(0, 0), "   ")
    assert stack.names()[0] == "blue"


@pytest.mark.parametrize(
    ("row", "to", "names"),
    [
        (0, 3, ["green", "red", "blue"]),
        (2, 0, ["red", "blue", "green"]),
        (0, 2, ["green", "blue", "red"]),
        (1, 1, ["blue", "green", "red"]),
    ],
)
def test_a_dragged_row_lands_where_it_was_dropped(stack: Stack, row, to, names) -> None:
    none = QModelIndex()
    stack.list.model().moveRow(none, row, none, to)
    assert stack.names() == names


def test_opacity_by_slider_is_one_step(stack: Stack) -> None:
    steps = stack.bench.stack.count()
    for percent in (90, 60, 50):
        stack.panel._opacity.setValue(percent)
    assert stack.layer("blue").opacity == 0.5
    assert stack.bench.stack.count() == steps + 1
    assert stack.panel._percent.number() == 50
    stack.bench.undo()
    assert stack.panel._opacity.value() == 100


def test_the_blend_mode_changes_the_picture(stack: Stack) -> None:
    place = list(BlendMode).index(BlendMode.PLUS)
    stack.panel._mode.setCurrentIndex(place)
    stack.panel._mode.activated.emit(place)
    assert stack.bench.color(5, 5) == "#ff0080ff"
    stack.document.set_active(stack.layer("red"))
    assert stack.panel._mode.currentData() is BlendMode.NORMAL


def test_new_layers_get_free_names_above_the_active_one(stack: Stack) -> None:
    stack.document.set_active(stack.layer("red"))
    stack.panel.add()
    stack.panel.add_mask()
    assert stack.names() == ["blue", "green", "Mask 1", "Layer 1", "red"]
    assert stack.document.active.kind is LayerKind.MASK
    stack.panel.add()
    assert stack.document.active.name == "Layer 2"


def test_a_duplicate_has_pixels_of_its_own(stack: Stack) -> None:
    stack.panel.duplicate()
    assert stack.names()[:2] == ["blue copy", "blue"]
    layer, rect = stack.document.active, QRect(0, 0, 10, 10)
    with stack.document.edit(layer, "Paint") as edit, edit.paint(rect) as painter:
        painter.fillRect(rect, QColor("white"))
    below = stack.layer("blue").pixels.image(rect).pixelColor(5, 5)
    assert below == QColor("blue")


def test_merging_down_keeps_the_look_and_is_one_step(stack: Stack) -> None:
    blue = stack.layer("blue")
    stack.document.change_layer(blue, opacity=0.5, blend_mode=BlendMode.SCREEN)
    before, steps = stack.bench.document.composite(), stack.bench.stack.count()
    stack.panel.merge_down()
    assert stack.names() == ["green", "red"]
    assert stack.bench.document.composite() == before
    assert stack.bench.stack.count() == steps + 1
    assert stack.document.active is stack.layer("green")
    stack.bench.undo()
    assert stack.names() == ["blue", "green", "red"]
    assert stack.bench.document.composite() == before
    assert stack.layer("blue").opacity == 0.5


def test_a_faint_layer_below_becomes_as_faint_pixels(stack: Stack) -> None:
    stack.document.change_layer(stack.layer("green"), opacity=0.5)
    stack.document.change_layer(stack.layer("blue"), opacity=0.5)
    before = to_array(stack.document.composite()).astype(int)
    stack.panel.merge_down()
    after = to_array(stack.document.composite()).astype(int)
    assert np.abs(after - before).max() <= 2
    assert stack.layer("green").opacity == 1.0


def test_a_locked_layer_is_neither_merged_nor_deleted(stack: Stack) -> None:
    stack.document.change_layer(stack.layer("green"), locked=True)
    stack.panel.merge_down()
    assert "green" in stack.remarks[-1]
    stack.document.set_active(stack.layer("green"))
    stack.key(Qt.Key.Key_Delete)
    assert "locked" in stack.remarks[-1]
    assert stack.names() == ["blue", "green", "red"]


def test_a_mask_is_not_merged_into_a_picture(stack: Stack) -> None:
    stack.panel.add_mask()
    stack.panel.merge_down()
    assert "mask" in stack.remarks[-1]
    assert len(stack.names()) == 4


def test_the_keyboard_does_it_all(stack: Stack) -> None:
    stack.list.setFocus()
    stack.key(Qt.Key.Key_Down)
    assert stack.document.active is stack.layer("green")
    stack.key(Qt.Key.Key_Space)
    assert not stack.layer("green").visible
    stack.panel.raise_layer()
    assert stack.names() == ["green", "blue", "red"]
    stack.panel.lower_layer()
    stack.key(Qt.Key.Key_Delete)
    assert stack.names() == ["blue", "red"]
    stack.bench.undo()
    assert stack.names() == ["blue", "green", "red"]


def test_what_cannot_be_done_is_not_offered(stack: Stack) -> None:
    deeds = {action.objectName(): action for action in stack.panel.deeds}
    assert not deeds["layer_up"].isEnabled()
    assert deeds["layer_merge"].isEnabled()
    stack.document.set_active(stack.layer("red"))
    assert not deeds["layer_merge"].isEnabled()
    stack.document.clear()
    enabled = [name for name, action in deeds.items() if action.isEnabled()]
    assert enabled == ["layer_add", "layer_mask"]


def test_a_menu_on_a_row_is_about_that_layer(stack: Stack) -> None:
    menu = stack.panel.menu_at(name_rect(stack.row("red")).center())
    assert stack.document.active is stack.layer("red")
    assert [action.text() for action in menu.actions() if not action.isSeparator()] == [
        action.text() for action in stack.panel.deeds
    ]


def test_a_menu_that_was_left_is_gone(stack: Stack, qtbot) -> None:
    def leave() -> None:
        QApplication.activePopupWidget().close()

    for _ in range(2):
        QTimer.singleShot(0, leave)
        stack.list.customContextMenuRequested.emit(stack.row("red").center())
    qtbot.waitUntil(lambda: stack.panel.findChildren(QMenu) == [])


def test_a_thumbnail_follows_what_is_painted(stack: Stack, qtbot) -> None:
    model = stack.list.model()
    before = model.data(model.index(0, 0), Qt.ItemDataRole.UserRole + 1).toImage()
    rect = stack.document.rect
    with stack.document.edit(stack.layer("blue"), "Paint") as edit, edit.paint(rect) as painter:
        painter.fillRect(rect, QColor("white"))

    def changed() -> bool:
        index = model.index(0, 0)
        return model.data(index, Qt.ItemDataRole.UserRole + 1).toImage() != before

    qtbot.waitUntil(changed)


def test_another_document_is_shown(stack: Stack) -> None:
    other = Document(stack.document.size, stack.bench.stack)
    stack.panel.set_document(other)
    assert stack.names() == []
    stack.panel.add()
    assert stack.names() == ["Layer 1"]
    assert len(stack.document.layers) == 3
    stack.document.set_active(stack.layer("red"))
    assert stack.names() == ["Layer 1"]
