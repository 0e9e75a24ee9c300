"""A document keeps every deed undoable, to the last bit, in bounded memory."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from PySide6.QtCore import QPoint, QRect, QSize
from PySide6.QtGui import QColor, QImage, QPainter, QUndoStack

from engine.errors import EngineError
from studio import images
from studio.canvas.composite import flatten
from studio.canvas.document import MAXIMUM_SIDE, Document
from studio.canvas.layer import BlendMode, Layer, LayerKind
from studio.canvas.selection import Selection
from studio.canvas.tiles import FORMAT, TileStore

Pixels = np.ndarray


@pytest.fixture
def stack(qapp) -> QUndoStack:
    return QUndoStack()


@pytest.fixture
def document(stack) -> Document:
    return Document(QSize(600, 500), stack)


def fill(document: Document, layer: Layer, rect: QRect, color: str, text: str = "Brush") -> None:
    with document.edit(layer, text) as edit, edit.paint(rect) as painter:
        painter.fillRect(rect, QColor(color))


def color_at(document: Document, x: int, y: int) -> str:
    return document.composite(QRect(x, y, 1, 1)).pixelColor(0, 0).name(QColor.NameFormat.HexArgb)


def blocks(seed: int, side: int) -> QImage:
    """As hard to compress as a drawing, not as noise."""
    return noise(seed, side // 64 + 1, side // 64 + 1).scaled(side, side)


def noise(seed: int, width: int, height: int) -> QImage:
    return images.from_array(
        np.random.default_rng(seed).integers(0, 256, (height, width, 4), np.uint8)
    ).convertToFormat(FORMAT)


# ------------------------------------------------------------------ layers


def test_layers_lie_over_each_other_and_the_newest_is_active(document) -> None:
    below = document.add_layer(Layer("below"))
    fill(document, below, QRect(0, 0, 300, 300), "#ff0000")
    above = document.add_layer(Layer("above", opacity=0.5))
    fill(document, above, QRect(100, 100, 300, 300), "#0000ff")
    assert document.layers == (below, above)
    assert document.active is above
    assert color_at(document, 50, 50) == "#ffff0000"
    assert color_at(document, 200, 200) in ("#ff7f0080", "#ff80007f", "#ff7f007f", "#ff800080")
    assert color_at(document, 500, 450) == "#00000000"


def test_a_layer_goes_above_the_one_that_is_named(document) -> None:
    first, third = document.add_layer(Layer("1")), document.add_layer(Layer("3"))
    second = document.add_layer(Layer("2"), above=first)
    assert document.layers == (first, second, third)


def test_deleting_a_layer_makes_the_one_below_active_and_undo_brings_both_back(
    document, stack
) -> None:
    below, above = document.add_layer(Layer("below")), document.add_layer(Layer("above"))
    fill(document, above, QRect(0, 0, 600, 500), "#00ff00")
    document.remove_layer(above)
    assert document.active is below
    assert document.is_empty
    stack.undo()
    assert document.active is above
    assert color_at(document, 599, 499) == "#ff00ff00"


@pytest.mark.parametrize("mode", BlendMode)
def test_every_blend_mode_is_composed_as_qt_does_it(document, mode) -> None:
    below = document.add_layer(Layer("below", pixels=TileStore.from_image(noise(1, 600, 500))))
    above = document.add_layer(
        Layer("above", pixels=TileStore.from_image(noise(2, 600, 500)), opacity=0.6)
    )
    document.change_layer(above, blend_mode=mode)
    naive = below.pixels.image(document.rect)
    painter = QPainter(naive)
    painter.setOpacity(0.6)
    painter.setCompositionMode(mode.composition_mode)
    painter.drawImage(0, 0, above.pixels.image(document.rect))
    painter.end()
    assert document.composite() == naive


def test_moving_a_slider_is_one_step_and_back_to_where_it_was_is_none(document, stack) -> None:
    layer = document.add_layer(Layer("a"))
    for opacity in (0.9, 0.8, 0.7):
        document.change_layer(layer, opacity=opacity)
    assert (stack.count(), layer.opacity) == (2, 0.7)
    stack.undo()
    assert layer.opacity == 1.0
    stack.redo()
    document.change_layer(layer, opacity=1.0)
    assert stack.count() == 1


def test_a_change_that_changes_nothing_is_no_step(document, stack) -> None:
    layer = document.add_layer(Layer("a"))
    document.change_layer(layer, name="a", visible=True)
    document.move_layer(layer, 0)
    document.set_selection(Selection())
    document.resize(document.rect)
    with document.edit(layer, "Brush"):
        pass
    assert stack.count() == 1


def test_a_locked_layer_says_what_to_do(document) -> None:
    layer = document.add_layer(Layer("sky", locked=True))
    with pytest.raises(EngineError, match=r"sky is locked.*Unlock"):
        document.edit(layer, "Brush")


def test_a_mask_is_seen_in_the_view_but_is_no_part_of_the_picture(document) -> None:
    layer = document.add_layer(Layer("picture"))
    fill(document, layer, document.rect, "#ffffff")
    mask = document.add_layer(Layer("mask", LayerKind.MASK, opacity=0.5))
    fill(document, mask, QRect(0, 0, 100, 100), "#000000")
    seen = QImage(600, 500, FORMAT)
    painter = QPainter(seen)
    document.draw(painter, document.rect)
    painter.end()
    assert color_at(document, 10, 10) == "#ffffffff"
    assert seen.pixelColor(10, 10) != seen.pixelColor(300, 300) == QColor("#ffffff")


# ------------------------------------------------------------------ painting


def test_a_stroke_of_many_touches_is_one_step(document, stack) -> None:
    layer = document.add_layer(Layer("a"))
    edit = document.edit(layer, "Brush")
    for x in range(0, 500, 50):
        with edit.paint(QRect(x, 10, 60, 60)) as painter:
            painter.fillRect(QRect(x, 10, 60, 60), QColor("red"))
    edit.commit()
    assert (stack.count(), stack.undoText()) == (2, "Brush")
    stack.undo()
    assert document.is_empty


def test_painting_tells_only_what_has_changed(document, qtbot) -> None:
    layer = document.add_layer(Layer("a"))
    with qtbot.waitSignal(document.changed) as told:
        fill(document, layer, QRect(250, 250, 20, 20), "red")
    assert told.args == [QRect(250, 250, 20, 20)]


def test_painting_afresh_does_not_add_up(document) -> None:
    layer = document.add_layer(Layer("a"))
    fill(document, layer, document.rect, "white")
    with document.edit(layer, "Brush") as edit:
        for _ in range(3):
            with edit.paint(QRect(0, 0, 50, 50), afresh=True) as painter:
                painter.fillRect(QRect(0, 0, 50, 50), QColor(0, 0, 0, 128))
    assert color_at(document, 20, 20) == "#ff7f7f7f"


def test_painting_stays_within_the_selection_and_is_soft_where_it_is(document) -> None:
    layer = document.add_layer(Layer("a"))
    mask = np.array([[0, 51, 255]], np.uint8).repeat(40, axis=0).repeat(100, axis=1)
    document.set_selection(Selection(mask, QPoint(200, 200)))
    with document.edit(layer, "Brush") as edit:
        for _ in range(4):  # over each other: still as soft as the selection
            with edit.paint(document.rect) as painter:
                painter.fillRect(document.rect, QColor("#ff0000"))
    assert color_at(document, 250, 220) == color_at(document, 100, 100) == "#00000000"
    assert color_at(document, 350, 220) == "#33ff0000"
    assert color_at(document, 450, 220) == "#ffff0000"


def test_an_edit_everywhere_minds_no_selection(document) -> None:
    layer = document.add_layer(Layer("a"))
    document.set_selection(Selection.from_rect(QRect(0, 0, 10, 10)))
    with document.edit(layer, "Move", everywhere=True) as edit:
        edit.put(noise(1, 300, 300), QPoint(100, 100))
    assert layer.pixels.image(QRect(100, 100, 300, 300)) == noise(1, 300, 300)


def test_what_goes_wrong_in_an_edit_leaves_no_trace(document, stack) -> None:
    layer = document.add_layer(Layer("a"))
    with pytest.raises(ZeroDivisionError), document.edit(layer, "Brush") as edit:
        edit.put(noise(1, 300, 300), QPoint(100, 100))
        1 / 0  # noqa: B018
    assert document.is_empty
    assert stack.count() == 1


def test_undo_in_the_middle_of_a_stroke_takes_the_stroke_back_too(document, stack) -> None:
    layer = document.add_layer(Layer("a"))
    fill(document, layer, QRect(0, 0, 100, 100), "red")
    edit = document.edit(layer, "Brush")
    edit.put(noise(1, 300, 300), QPoint(50, 50))
    stack.undo()
    assert document.is_empty
    edit.put(noise(1, 300, 300), QPoint(50, 50))  # the mouse is still down
    edit.commit()
    assert document.is_empty
    stack.redo()
    assert color_at(document, 99, 99) == "#ffff0000"


# ------------------------------------------------------------------ the whole


def test_cropping_loses_nothing_and_extending_shows_it_again(document, stack) -> None:
    layer = document.add_layer(Layer("a"))
    with document.edit(layer, "Brush") as edit:
        edit.put(noise(3, 600, 500), QPoint())
    before = document.composite()
    document.resize(QRect(101, 77, 300, 200))
    assert document.size == QSize(300, 200)
    assert document.composite() == before.copy(101, 77, 300, 200)
    document.resize(QRect(-101, -77, 600, 500))
    assert document.composite() == before
    document.resize(QRect(-10, -10, 620, 520))
    assert color_at(document, 5, 5) == "#00000000"
    for _ in range(3):
        stack.undo()
    assert document.composite() == before


@pytest.mark.parametrize(
    "size", [QSize(0, 5), QSize(-3, 5), QSize(MAXIMUM_SIDE + 1, 1), QSize(12000, 12000)]
)
def test_a_size_that_no_document_can_have_is_refused(document, stack, size) -> None:
    with pytest.raises(EngineError, match=f"{size.width()}×{size.height()}"):
        Document(size, stack)
    with pytest.raises(EngineError):
        document.resize(QRect(QPoint(), size))
    assert stack.count() == 0


def test_an_opened_image_is_the_document_and_undo_brings_the_old_one_back(document, stack) -> None:
    layer = document.add_layer(Layer("a"))
    fill(document, layer, document.rect, "green")
    document.set_selection(Selection.from_rect(QRect(5, 5, 10, 10)))
    picture = noise(4, 333, 222)
    document.open_image(picture, "fox")
    assert document.size == QSize(333, 222)
    assert document.composite() == picture
    assert [layer.name for layer in document.layers] == ["fox"]
    assert document.selection.is_empty
    stack.undo()
    assert document.size == QSize(600, 500)
    assert color_at(document, 599, 499) == "#ff008000"
    assert document.selection.bounds == QRect(5, 5, 10, 10)


def test_a_document_from_an_image_begins_without_steps(stack) -> None:
    picture = noise(5, 700, 300)
    document = Document.from_image(picture, stack, "fox")
    assert document.composite() == picture
    assert not stack.canUndo()


def test_a_document_that_is_replaced_remembers_nothing(document, stack) -> None:
    fill(document, document.add_layer(Layer("a")), document.rect, "green")
    new = Layer("new", pixels=TileStore.from_image(noise(1, 100, 100)))
    document.replace([new], QSize(100, 100), Selection.from_rect(QRect(0, 0, 3, 3)))
    assert not stack.canUndo()
    assert document.composite() == noise(1, 100, 100)
    assert document.selection.bounds == QRect(0, 0, 3, 3)
    gc.collect()
    assert document.undo_memory == 0


def test_a_thumbnail_shows_the_whole_layer(document) -> None:
    layer = document.add_layer(Layer("a"))
    fill(document, layer, QRect(300, 0, 300, 500), "#ff0000")
    small = document.thumbnail(layer, QSize(60, 60))
    assert small.size() == QSize(60, 50)
    assert small.pixelColor(10, 25).alpha() == 0
    assert small.pixelColor(50, 25) == QColor("#ff0000")


def test_undo_below_the_layer_that_is_painted_on_is_seen(document, stack) -> None:
    lowest, *_, top = [document.add_layer(Layer(name, opacity=0.9)) for name in "abcd"]
    for layer in (*document.layers, lowest):
        fill(document, layer, QRect(0, 0, 200, 200), "green" if layer is lowest else "red")
    fill(document, lowest, QRect(10, 10, 200, 200), "blue")
    document.set_active(top)
    edit = document.edit(top, "Brush")
    for x in (5, 50):  # what is below is kept from the second touch on
        edit.put(noise(x, 40, 40), QPoint(x, 20))
        document.composite()
    edit.cancel()
    stack.undo()
    assert document.active is top
    assert document.composite() == flatten(document.layers, document.rect)


# ------------------------------------------------------------------ zoomed out


@pytest.mark.parametrize("zoom", [1.0, 0.9, 0.5, 0.11])
def test_a_part_that_is_redrawn_looks_as_if_all_had_been(stack, zoom) -> None:
    document = Document(QSize(1500, 1100), stack)
    layer = document.add_layer(Layer("a", pixels=TileStore.from_image(noise(1, 1500, 1100))))
    document.add_layer(Layer("b", pixels=TileStore.from_image(noise(2, 900, 900)), opacity=0.5))
    screen = _drawn(document, zoom)
    with document.edit(layer, "Brush") as edit:
        edit.put(noise(7, 190, 120), QPoint(390, 510))
    painter = QPainter(screen)
    area = QRect(388, 508, 194, 124)
    painter.scale(zoom, zoom)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.setClipRect(area.adjusted(-40, -40, 40, 40))
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
    document.draw(painter, area.adjusted(-40, -40, 40, 40))
    painter.end()
    new = Document(QSize(1500, 1100), stack)
    for old in document.layers:
        new.add_layer(Layer("", pixels=old.pixels, opacity=old.opacity))
    whole = _drawn(new, zoom)
    difference = images.to_array(screen).astype(int) - images.to_array(whole)
    # Qt's steps of 1/65536 pixel add up over a long row, and noise shows each of them.
    assert np.abs(difference[2:-2, 2:-2]).max() <= (30 if zoom == 0.9 else 2)


def test_on_a_dense_screen_every_pixel_is_used(document) -> None:
    picture = noise(3, 600, 500)
    document.open_image(picture, "noise")
    screen = QImage(600, 500, FORMAT)
    screen.fill(0)
    screen.setDevicePixelRatio(2)
    with QPainter(screen) as painter:
        painter.scale(0.5, 0.5)
        document.draw(painter, document.rect)
    screen.setDevicePixelRatio(1)
    assert screen == picture


def _drawn(document: Document, zoom: float) -> QImage:
    size = document.size * zoom
    screen = QImage(size, FORMAT)
    screen.fill(0)
    painter = QPainter(screen)
    painter.scale(zoom, zoom)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    document.draw(painter, document.rect)
    painter.end()
    return screen


# ------------------------------------------------------------------ memory


def test_three_hundred_big_strokes_stay_in_their_memory_and_are_all_undone(stack) -> None:
    memory = 8 * 2**20
    document = Document(QSize(640, 640), stack, memory=memory)
    layer = document.add_layer(Layer("a", pixels=TileStore.from_image(blocks(0, 640))))
    first, most = document.composite(), 0
    rolls = np.random.default_rng(1)
    tile = blocks(9, 400)
    for _ in range(300):
        with document.edit(layer, "Brush") as edit:
            edit.put(tile, QPoint(*rolls.integers(-60, 300, 2).tolist()))
            most = max(most, document.undo_memory)
    last = document.composite()
    assert stack.count() == 301
    assert most <= memory
    while stack.index() > 1:
        stack.undo()
        most = max(most, document.undo_memory)
    assert document.composite() == first
    while stack.canRedo():
        stack.redo()
        most = max(most, document.undo_memory)
    assert document.composite() == last
    assert most <= memory


def test_deleting_a_large_layer_lets_nobody_wait_and_is_soon_worked_off(stack, qtbot) -> None:
    memory = 4 * 2**20
    document = Document(QSize(1024, 1024), stack, memory=memory)
    layer = document.add_layer(Layer("a", pixels=TileStore.from_image(noise(1, 1024, 1024))))
    before = document.composite()
    for _ in range(2):
        document.remove_layer(layer)
        qtbot.waitUntil(lambda: document.undo_memory <= memory)
        stack.undo()
        assert document.composite() == before


def test_steps_that_can_no_longer_be_redone_give_their_memory_back(document, stack) -> None:
    layer = document.add_layer(Layer("a"))
    for seed in range(5):
        with document.edit(layer, "Brush") as edit:
            edit.put(noise(seed, 512, 500), QPoint())
    while stack.index() > 1:
        stack.undo()
    held = document.undo_memory
    fill(document, layer, QRect(0, 0, 5, 5), "red")
    gc.collect()
    assert document.undo_memory < held / 10


# ------------------------------------------------------------------ anything, in any order


SIZE = QSize(300, 280)


class AnyDeeds(RuleBasedStateMachine):
    """Against an oracle that keeps whole pictures: what was seen after every step."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = QUndoStack()
        self.document = Document(SIZE, self.stack, memory=2 * 2**20)
        self.seen = [self.picture()]

    def picture(self) -> tuple[Any, ...]:
        document = self.document
        layers = [
            (x.id, x.name, x.opacity, x.blend_mode, x.visible, x.pixels.image(document.rect))
            for x in document.layers
        ]
        flat = document.composite()
        assert flat == flatten(document.layers, document.rect)  # whatever was cached
        return document.size, layers, document.selection, flat

    def check_step(self) -> None:
        """A deed makes one step, or merges into the last one, or none."""
        if self.stack.canRedo():
            return  # nothing was pushed
        del self.seen[self.stack.index() :]
        self.seen.append(self.picture())
        assert len(self.seen) == self.stack.index() + 1

    @rule(
        x=st.integers(-50, 300), y=st.integers(-50, 280), w=st.integers(1, 300), seed=st.integers(0)
    )
    @precondition(lambda self: self.document.active)
    def stroke(self, x: int, y: int, w: int, seed: int) -> None:
        layer = self.document.active
        assert layer
        with self.document.edit(layer, "Brush") as edit:
            rect = QRect(x, y, w, w // 2 + 1)
            with edit.paint(rect) as painter:
                painter.drawImage(rect.topLeft(), noise(seed, rect.width(), rect.height()))
        self.check_step()

    @rule(where=st.integers(0, 4))
    @precondition(lambda self: len(self.document.layers) < 4)
    def add(self, where: int) -> None:
        layers = self.document.layers
        above = layers[where % len(layers)] if layers else None
        self.document.add_layer(Layer(str(where)), above)
        self.check_step()

    @rule(which=st.integers(0, 4))
    @precondition(lambda self: self.document.layers)
    def remove(self, which: int) -> None:
        self.document.remove_layer(self.document.layers[which % len(self.document.layers)])
        self.check_step()

    @rule(which=st.integers(0, 4), to=st.integers(0, 4))
    @precondition(lambda self: self.document.layers)
    def move(self, which: int, to: int) -> None:
        self.document.move_layer(self.document.layers[which % len(self.document.layers)], to)
        self.check_step()

    @rule(which=st.integers(0, 4), mode=st.sampled_from(BlendMode), visible=st.booleans())
    @precondition(lambda self: self.document.layers)
    def change(self, which: int, mode: BlendMode, visible: bool) -> None:
        layer = self.document.layers[which % len(self.document.layers)]
        self.document.change_layer(layer, blend_mode=mode, visible=visible, opacity=0.5)
        self.check_step()

    @rule(which=st.integers(0, 4))
    @precondition(lambda self: self.document.layers)
    def activate(self, which: int) -> None:
        self.document.set_active(self.document.layers[which % len(self.document.layers)])

    @rule(x=st.integers(-9, 200), y=st.integers(-9, 200), w=st.integers(0, 99), f=st.integers(0, 9))
    def select(self, x: int, y: int, w: int, f: int) -> None:
        self.document.set_selection(Selection.from_rect(QRect(x, y, w, w)).feathered(f))
        self.check_step()

    @rule(x=st.integers(-40, 40), y=st.integers(-40, 40), w=st.integers(200, 400))
    def resize(self, x: int, y: int, w: int) -> None:
        self.document.resize(QRect(x, y, w, 250))
        self.check_step()

    @rule(steps=st.integers(-6, 6))
    def travel(self, steps: int) -> None:
        self.stack.setIndex(min(max(self.stack.index() + steps, 0), self.stack.count()))

    @invariant()
    def it_looks_as_it_did_after_that_step(self) -> None:
        assert self.picture() == self.seen[self.stack.index()]


AnyDeeds.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)


@pytest.mark.usefixtures("qapp")
class TestAnyDeeds(AnyDeeds.TestCase):  # type: ignore[misc, name-defined]
    pass
