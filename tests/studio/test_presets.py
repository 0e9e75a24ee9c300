"""Precise, balanced, creative: what they set, which one is shown, and the way back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton
from pytestqt.qtbot import QtBot

from engine.generators.text_generation import TextGeneration
from engine.language import presets
from engine.worker import Engine
from studio.settings import Settings
from studio.widgets.preset_row import PresetRow
from studio.workspaces.write import WriteWorkspace


@pytest.fixture
def workspace(qtbot: QtBot, engine: Engine) -> Iterator[WriteWorkspace]:
    workspace = WriteWorkspace(engine, Settings())
    qtbot.addWidget(workspace)
    workspace.resize(1000, 640)
    workspace.show()
    yield workspace
    workspace.close()


def pressed(workspace: WriteWorkspace) -> list[str]:
    row = workspace.findChild(PresetRow)
    assert row is not None
    return [name for name, button in row._buttons.items() if button.isChecked()]


def button(workspace: WriteWorkspace, text: str) -> QToolButton:
    return next(b for b in workspace.findChildren(QToolButton) if b.text() == text)


def test_the_defaults_are_balanced_and_every_preset_is_one() -> None:
    assert presets.preset_of(TextGeneration(prompt="a").to_dict()) == "balanced"
    for name in presets.PRESETS:
        task = TextGeneration(prompt="a", **presets.values(name))
        assert presets.preset_of(task.to_dict()) == name
    assert presets.preset_of({"temperature": 0.3}) == ""


def test_a_press_sets_all_and_undo_brings_back(qtbot: QtBot, workspace: WriteWorkspace) -> None:
    form = workspace.form
    assert pressed(workspace) == ["balanced"]
    form.set_values({"top_p": 0.33})
    assert pressed(workspace) == []
    qtbot.mouseClick(button(workspace, "Creative"), Qt.MouseButton.LeftButton)
    assert pressed(workspace) == ["creative"]
    assert form.values()["min_p"] == 0.1 and form.values()["top_p"] == 1.0
    form.undo_stack.undo()
    assert form.values()["top_p"] == 0.33 and pressed(workspace) == []


def test_the_same_press_again_changes_nothing(qtbot: QtBot, workspace: WriteWorkspace) -> None:
    for _ in range(2):
        qtbot.mouseClick(button(workspace, "Precise"), Qt.MouseButton.LeftButton)
        assert pressed(workspace) == ["precise"]
    assert workspace.form.undo_stack.count() == 1
