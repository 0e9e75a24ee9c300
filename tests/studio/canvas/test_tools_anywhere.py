"""Every tool, anywhere, on anything: nothing is raised, and an undo of everything restores all."""

from __future__ import annotations

import random

import pytest
from canvas_bench import ALT, NONE, SHIFT, Bench
from PySide6.QtCore import QRect, QSize, Qt

from studio.canvas.layer import Layer, LayerKind
from studio.canvas.selection import Selection
from studio.canvas.tools.option import Option, options_of
from studio.canvas.tools.tool_box import TOOLS

IDS = [tool.id for tool in TOOLS]
KEYS = (
    *(Qt.Key.Key_Return, Qt.Key.Key_Escape, Qt.Key.Key_Left, Qt.Key.Key_Down),
    *(Qt.Key.Key_BracketLeft, Qt.Key.Key_BracketRight),
)


def use(bench: Bench, chance: random.Random) -> None:
    """One gesture as a restless hand makes it."""

    def place() -> tuple[float, float]:
        width, height = bench.document.size.toTuple()
        return chance.uniform(-0.6, 1.6) * width, chance.uniform(-0.6, 1.6) * height

    keys = chance.choice([NONE, NONE, SHIFT, ALT, SHIFT | ALT])
    deed = chance.randrange(6)
    if deed < 3:
        bench.drag(*(place() for _ in range(chance.randint(1, 4))), keys=keys)
    elif deed == 3:
        bench.key(chance.choice(KEYS), chance.choice([NONE, SHIFT]))
    elif deed == 4:
        bench.move(*place(), keys)
    else:
        bench.view.grab()


@pytest.mark.parametrize("id", IDS)
def test_nothing_is_raised_on_an_empty_document(bench: Bench, id: str) -> None:
    bench.box.choose(id)
    chance = random.Random(id)
    for _ in range(12):
        use(bench, chance)
    bench.box.settle()


@pytest.mark.parametrize("id", IDS)
def test_nothing_is_raised_on_a_document_of_one_pixel(qtbot, id: str) -> None:
    bench = Bench(qtbot, QSize(1, 1))
    bench.add("red")
    bench.box.choose(id)
    chance = random.Random(id)
    for _ in range(12):
        use(bench, chance)
    bench.box.settle()


@pytest.mark.parametrize("id", IDS)
def test_all_that_was_done_can_be_undone_and_done_again(bench: Bench, id: str) -> None:
    bench.add("white")
    bench.add("#80ff0000")
    bench.document.add_layer(Layer("Mask", LayerKind.MASK))
    bench.document.set_active(bench.document.layers[1])
    bench.document.set_selection(Selection.from_rect(QRect(30, 30, 90, 90)))
    before, base = bench.document.composite(), bench.stack.index()
    bench.box.choose(id)
    chance = random.Random(id + "again")
    for _ in range(12):
        use(bench, chance)
    bench.box.settle()
    after, selection = bench.document.composite(), bench.document.selection
    top = bench.stack.index()
    bench.stack.setIndex(base)
    assert bench.document.composite() == before
    assert bench.document.selection.bounds == QRect(30, 30, 90, 90)
    bench.stack.setIndex(top)
    assert bench.document.composite() == after
    assert bench.document.selection == selection


@pytest.mark.parametrize("id", IDS)
def test_a_layer_that_is_hidden_or_locked_is_never_changed(bench: Bench, id: str) -> None:
    hidden = bench.add("white", "Hidden")
    locked = bench.add("red", "Locked")
    bench.document.change_layer(hidden, visible=False)
    bench.document.change_layer(locked, locked=True)
    bench.box.choose(id)
    chance = random.Random(id + "locked")
    for layer in (hidden, locked):
        bench.document.set_active(layer)
        for _ in range(6):
            use(bench, chance)
        bench.box.settle()
    bench.document.resize(QRect(0, 0, 200, 160))
    for layer in (hidden, locked):
        assert {color(layer.pixels.image(), x) for x in (0, 90, 199)} == {
            "#ffffffff" if layer is hidden else "#ffff0000"
        }


def color(image, x: int) -> str:
    return image.pixelColor(x, 80).name(image.pixelColor(0, 0).NameFormat.HexArgb)


@pytest.mark.parametrize("tool", TOOLS)
def test_options_declare_what_a_bar_needs(tool) -> None:
    for option in options_of(tool):
        assert isinstance(option, Option)
        assert option.label
        assert option.help.endswith(".")
        assert option.allowed(option.default) == option.default
        if isinstance(option.default, str):
            assert option.default in option.choices
