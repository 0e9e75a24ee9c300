"""Styles that a model knows by name: chosen from a menu, written into the prompt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from studio.widgets.style_button import StyleButton, style_of, with_style

STYLES = ("flat", "3d", "noto")
prompts = st.text(alphabet="flat3dno, Fx", max_size=24)


@pytest.mark.parametrize(
    ("prompt", "style"),
    [
        ("flat house", "flat"),
        ("Flat house", "flat"),
        ("house, 3D", "3d"),
        ("house", ""),
        ("flatbread", ""),
        ("a flat house", ""),
        ("", ""),
    ],
)
def test_a_style_is_seen_where_it_stands_by_itself(prompt: str, style: str) -> None:
    assert style_of(prompt, STYLES) == style


def test_a_style_takes_the_place_of_another() -> None:
    assert with_style("flat house", STYLES, "noto") == "noto house"
    assert with_style("house, 3d", STYLES, "") == "house"
    assert with_style("house", STYLES, "3d") == "3d house"


@given(prompts, st.sampled_from(("", *STYLES)))
def test_what_was_asked_for_is_what_the_prompt_says(prompt: str, style: str) -> None:
    styled = with_style(prompt, STYLES, style)
    assert style_of(styled, STYLES) == style
    assert with_style(styled, STYLES, style) == styled


@given(prompts)
def test_a_prompt_without_a_style_is_not_changed_by_taking_it_away(prompt: str) -> None:
    if not style_of(prompt, STYLES):
        assert with_style(prompt, STYLES, "") == prompt


def test_the_button_shows_the_prompts_style_and_asks_for_another(qtbot: QtBot) -> None:
    button = StyleButton()
    qtbot.addWidget(button)
    assert not button.isVisibleTo(button.parentWidget())
    button.set_styles(STYLES)
    button.show_prompt("3d rocket")
    assert button.text() == "Style: 3d"
    actions = {action.text(): action for action in button.menu().actions()}
    assert list(actions) == ["Any", *STYLES] and actions["3d"].isChecked()
    with qtbot.waitSignal(button.chosen) as caught:
        actions["flat"].trigger()
    assert caught.args == ["flat"]
    button.set_styles(("ink",))
    assert [action.text() for action in button.menu().actions()] == ["Any", "ink"]
    button.set_styles(())
    assert not button.isVisibleTo(button.parentWidget())
