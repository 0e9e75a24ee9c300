"""The styles of the chosen model are offered beside the prompt."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QAction
from pytestqt.qtbot import QtBot

from engine import folders, library
from engine.errors import ModelError
from engine.registry import task_class
from studio.prompt_styles import PromptStyles
from studio.widgets.easel import Easel
from studio.widgets.parameter_form import ParameterForm


@pytest.fixture
def ink(home: Path) -> Path:
    """A model with styles of its own."""
    folder = folders.models() / "ink"
    folder.mkdir(parents=True)
    (folder / "model_index.json").write_text("{}")
    (folder / "styles.json").write_text('["ink", "wash"]')
    (folders.models() / "plain").mkdir()
    (folders.models() / "plain/model_index.json").write_text("{}")
    return folder


def test_styles_follow_the_model_and_stand_in_the_prompt(qtbot: QtBot, ink: Path) -> None:
    easel, form = Easel(), ParameterForm(task_class("text_to_image"))
    for widget in (easel, form):
        qtbot.addWidget(widget)
    PromptStyles(form, easel, easel)
    button, prompt = easel.style_button, easel.prompt
    form.set_values({"model": "ink"})
    assert button.styles == ("ink", "wash")
    prompt.replace("wash house")
    assert button.text() == "Style: wash"
    _action(button.menu().actions(), "ink").trigger()
    assert prompt.toPlainText() == "ink house"
    prompt.undo()
    assert prompt.toPlainText() == "wash house" and button.text() == "Style: wash"
    _action(button.menu().actions(), "Any").trigger()
    assert prompt.toPlainText() == "house"
    form.set_values({"model": "plain"})
    assert button.styles == () and not button.isVisibleTo(easel)


@pytest.mark.parametrize("content", ["{", '{"a": 1}', "[1]", '["a", ""]'])
def test_a_list_of_styles_that_cannot_be_read_is_named(ink: Path, content: str) -> None:
    (ink / "styles.json").write_text(content)
    with pytest.raises(ModelError, match=r"styles\.json"):
        library.styles("ink")


def _action(actions: list[QAction], text: str) -> QAction:
    return next(action for action in actions if action.text() == text)
