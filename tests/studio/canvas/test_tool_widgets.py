"""Tool bar, options bar, colours and compare control: they follow the box, and the box follows."""

from __future__ import annotations

import json

import pytest
from canvas_bench import Bench
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QWidget

from studio.actions import add_actions
from studio.canvas.tools.option import options_of
from studio.canvas.tools.paint_colors import MOST_RECENT, PaintColors
from studio.widgets.color_picker import ColorPicker
from studio.widgets.compare_control import CompareControl
from studio.widgets.tool_bar import ToolBar
from studio.widgets.tool_options import OptionControl, OptionNumber, ToolOptions


@pytest.fixture
def bar(bench: Bench, qtbot) -> ToolBar:
    bar = ToolBar(bench.box)
    qtbot.addWidget(bar)
    return bar


@pytest.fixture
def options(bench: Bench, qtbot) -> ToolOptions:
    options = ToolOptions(bench.box)
    qtbot.addWidget(options)
    options.resize(1200, 40)
    options.show()
    return options


def controls(options: ToolOptions) -> list[OptionControl]:
    return [w for w in options.findChildren(OptionControl) if w.isVisible()]


def control(options: ToolOptions, name: str) -> OptionControl:
    return next(w for w in controls(options) if w._option.name == name)


# ---------------------------------------------------------------------- tool bar


def test_the_bar_is_as_high_for_every_tool(bench: Bench, options: ToolOptions) -> None:
    heights = set()
    for tool in bench.box.tools:
        bench.box.choose(tool.id)
        heights.add(options.heightForWidth(2000))
    assert len(heights) == 1, "a fitted picture would jump with every change of the tool"


def test_one_button_is_checked_and_a_click_takes_the_tool(bench: Bench, bar: ToolBar) -> None:
    bar.buttons["lasso"].click()
    assert bench.box.current.id == "lasso"
    bench.box.choose("fill")
    assert [id for id, button in bar.buttons.items() if button.isChecked()] == ["fill"]


def test_every_tool_says_its_name_its_key_and_what_it_does(bench: Bench, bar: ToolBar) -> None:
    for tool in bench.box.tools:
        button = bar.buttons[tool.id]
        assert button.accessibleName() == tool.title
        assert f"({tool.shortcut})" in button.toolTip()
        assert tool.help in button.toolTip()
    assert len({tool.shortcut for tool in bench.box.tools}) == len(bench.box.tools)


def test_a_letter_on_the_canvas_takes_the_tool(bench: Bench) -> None:
    add_actions(bench.view, bench.box.actions_table())
    for key, id in ((Qt.Key.Key_E, "eraser"), (Qt.Key.Key_V, "move"), (Qt.Key.Key_B, "brush")):
        bench.key(key)
        assert bench.box.current.id == id
    bench.key(Qt.Key.Key_X)
    assert bench.box.colors.foreground == QColor("white")
    bench.key(Qt.Key.Key_D)
    assert bench.box.colors.foreground == QColor("black")


def test_where_it_is_not_high_enough_the_tools_stand_in_columns(bench: Bench, qtbot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    bar = ToolBar(bench.box, window)
    window.resize(200, 800)
    window.show()
    least, columns = bar.minimumSizeHint().height(), []
    for height in (780, (least + bar.sizeHint().height()) // 2, least):
        bar.setGeometry(0, 0, 150, height)
        QApplication.processEvents()
        columns.append(len({button.x() for button in bar.buttons.values()}))
        assert all(bar.rect().contains(button.geometry()) for button in bar.buttons.values())
        assert bar.rect().contains(bar.colors.geometry())
    assert columns == [1, 2, 3]


# ---------------------------------------------------------------------- options bar


def test_the_bar_shows_each_option_of_the_tool_in_the_hand(bench, options) -> None:
    for tool in bench.box.tools:
        bench.box.choose(tool.id)
        shown = [w._option.name for w in controls(options)]
        assert shown == [option.name for option in options_of(type(tool))]


def test_a_number_is_typed_or_slid_and_follows_the_keys(bench: Bench, options) -> None:
    tool, size = bench.box.tool("brush"), control(options, "size")
    assert isinstance(size, OptionNumber)
    size.box.setValue(333)
    assert tool.size == 333
    size.slider.setValue(size.slider.maximum())
    assert tool.size == 1000
    assert size.box.number() == 1000
    tool.size = 7
    assert size.box.number() == 7
    assert size.slider.value() < size.slider.maximum() / 2


def test_switches_and_choices_change_the_tool(bench: Bench, options) -> None:
    bench.box.choose("fill")
    control(options, "contiguous").findChild(QCheckBox).setChecked(False)
    assert bench.box.tool("fill").contiguous is False
    bench.box.choose("rectangle")
    combo = control(options, "mode").findChild(QComboBox)
    combo.setCurrentIndex(combo.findData("subtract"))
    assert bench.box.tool("rectangle").mode == "subtract"


def test_sliders_give_way_where_the_bar_is_narrow(bench: Bench, options, qtbot) -> None:
    assert control(options, "size").slider.isVisible()
    options.resize(640, 40)
    assert not control(options, "size").slider.isVisible()
    options.resize(1200, 40)
    assert control(options, "size").slider.isVisible()


def test_in_a_very_narrow_bar_options_go_on_in_the_next_row(options, qtbot) -> None:
    options.resize(300, 200)
    rows = {w.y() for w in controls(options)}
    assert len(rows) > 1
    assert max(w.geometry().right() for w in controls(options)) < 300
    assert options.heightForWidth(300) > options.heightForWidth(1200)


def test_every_control_has_a_name_and_a_tooltip(bench: Bench, options) -> None:
    for tool in bench.box.tools:
        bench.box.choose(tool.id)
        for widget in controls(options):
            assert widget.toolTip()
            assert widget.focusProxy().accessibleName()


# ---------------------------------------------------------------------- state


def test_the_state_of_the_box_survives_json(bench: Bench, qtbot) -> None:
    bench.box.tool("brush").size = 77
    bench.box.tool("fill").contiguous = False
    bench.box.colors.foreground = QColor("#112233")
    bench.box.choose("lasso")
    state = json.loads(json.dumps(bench.box.state()))
    other = Bench(qtbot)
    other.box.restore(state)
    assert other.box.state() == bench.box.state()
    assert other.box.current.id == "lasso"
    assert other.box.tool("brush").size == 77


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"tool": "chainsaw", "options": 3, "colors": []},
        {"options": {"brush": {"size": "big", "hardness": True, "flow": float("nan")}}},
        {"options": {"rectangle": {"mode": "eat"}}, "colors": {"foreground": "no", "recent": [4]}},
    ],
)
def test_a_damaged_state_changes_nothing(bench: Bench, state: dict) -> None:
    before = bench.box.state()
    bench.box.restore(state)
    assert bench.box.tool("brush").size == 24
    assert bench.box.tool("rectangle").mode == "replace"
    assert bench.box.current.id == before["tool"]
    assert bench.box.colors.foreground == QColor("black")


def test_numbers_stay_in_their_range(bench: Bench) -> None:
    tool = bench.box.tool("brush")
    tool.size = 99999
    assert tool.size == 1000
    tool.size = -4
    assert tool.size == 1


# ---------------------------------------------------------------------- colours


def test_recent_colours_come_once_newest_first_and_not_without_end() -> None:
    colors = PaintColors()
    for value in (*range(30), 29, 20):
        colors.remember(QColor(value, 0, 0))
    assert [color.red() for color in colors.recent[:3]] == [20, 29, 28]
    assert len(colors.recent) == MOST_RECENT


@pytest.fixture
def picker(qtbot) -> ColorPicker:
    picker = ColorPicker()
    qtbot.addWidget(picker)
    picker.open(QColor("#ff0000"), [QColor("#00ff00")], QPoint(10, 10))
    return picker


def test_a_colour_is_chosen_by_eye(picker: ColorPicker) -> None:
    field = picker._shade
    area = field._area()
    QTest.mouseClick(field, Qt.MouseButton.LeftButton, pos=area.bottomLeft().toPoint())
    assert picker.color.value() < 5
    QTest.mouseClick(field, Qt.MouseButton.LeftButton, pos=area.topRight().toPoint())
    assert picker.color.name() in ("#ff0000", "#ff0101", "#fe0000")
    hue = picker._hue
    middle = QPointF(hue._area().center()).toPoint()
    QTest.mouseClick(hue, Qt.MouseButton.LeftButton, pos=middle)
    assert picker.color.hue() == pytest.approx(180, abs=3)


def test_grey_does_not_lose_the_hue_that_was_chosen(picker: ColorPicker) -> None:
    picker.show_color(QColor("#0000ff"))
    picker.show_color(QColor("#808080"))
    assert picker._shade.hue == pytest.approx(240 / 360)


def test_a_colour_is_chosen_by_its_number_the_keys_or_among_the_recent(picker) -> None:
    chosen = []
    picker.chosen.connect(lambda color: chosen.append(color.name()))
    picker._number.selectAll()
    QTest.keyClicks(picker._number, "#336699")
    assert chosen == ["#336699"]
    picker._number.setSelection(1, 1)
    QTest.keyClicks(picker._number, "4")
    assert chosen[-1] == "#436699"
    assert picker._number.cursorPosition() == 2
    picker._number.selectAll()
    QTest.keyClicks(picker._number, "#f80")
    QTest.keyClick(picker._number, Qt.Key.Key_Return)
    assert chosen[-1] == "#ff8800"
    picker._recent.itemAt(0).widget().click()
    assert chosen[-1] == "#00ff00"
    picker._shade.setFocus()
    QTest.keyClick(picker._shade, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert QColor(chosen[-1]).value() < 240
    picker._before.click()
    assert chosen[-1] == "#ff0000"


def test_the_pair_shows_and_sets_both_colours(bench: Bench, bar: ToolBar) -> None:
    bar.show()
    bar.colors.open_picker("background")
    bar.colors.picker._choose(QColor("#abcdef"))
    bar.colors.picker.close()
    assert bench.box.colors.background.name() == "#abcdef"
    assert bench.box.colors.recent[0].name() == "#abcdef"
    assert "#abcdef" in bar.colors._background.toolTip()


# ---------------------------------------------------------------------- compare


def test_the_compare_control_says_where_the_line_is(qtbot) -> None:
    compare, said = CompareControl(), []
    qtbot.addWidget(compare)
    compare.changed.connect(said.append)
    compare.button.click()
    assert said[-1] == 0.5
    compare.slider.setValue(250)
    assert said[-1] == 0.25
    compare.set_place(0.75)
    assert compare.place() == 0.75
    compare.button.click()
    assert said[-1] is None
    assert isinstance(compare, QWidget)
