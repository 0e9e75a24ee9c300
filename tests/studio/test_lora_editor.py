"""LoRAs in the form of Create, with mouse and keyboard."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QComboBox, QPushButton, QToolButton
from pytestqt.qtbot import QtBot
from safetensors.torch import save_file

from engine import folders
from engine.errors import InvalidTask
from engine.registry import task_class
from studio.widgets.lora_editor import LoraEditor
from studio.widgets.number_box import NumberBox
from studio.widgets.parameter_form import ParameterForm


@pytest.fixture
def form(qtbot: QtBot) -> ParameterForm:
    for name in ("ink", "brush"):
        folders.loras().mkdir(parents=True, exist_ok=True)
        save_file({"a.lora_A.weight": torch.zeros(2)}, folders.loras() / f"{name}.safetensors")
    form = ParameterForm(task_class("text_to_image"), exclude=("prompt",))
    qtbot.addWidget(form)
    form.resize(320, 700)
    form.show()
    return form


def editor(form: ParameterForm) -> LoraEditor:
    found = form.editor("loras")
    assert isinstance(found, LoraEditor)
    return found


def add(qtbot: QtBot, form: ParameterForm) -> None:
    (button,) = editor(form).findChildren(QPushButton)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_one_is_added_weighed_and_taken_away_each_a_step_of_undo(qtbot, form) -> None:
    add(qtbot, form)
    assert form.values()["loras"] == "brush: 1"
    (weight,) = editor(form).findChildren(NumberBox)
    weight.selectAll()
    qtbot.keyClicks(weight, "0.5")
    qtbot.keyClick(weight, Qt.Key.Key_Tab)
    assert form.values()["loras"] == "brush: 0.5"
    add(qtbot, form)
    assert form.values()["loras"] == "brush: 0.5\nink: 1"
    cross = next(b for b in editor(form).findChildren(QToolButton))
    qtbot.mouseClick(cross, Qt.MouseButton.LeftButton)
    assert form.values()["loras"] == "ink: 1"
    assert form.task(prompt="a cat").to_dict()["loras"] == "ink: 1"
    form.undo_stack.undo()
    assert form.values()["loras"] == ""


def test_settings_of_a_picture_come_back(qtbot, form) -> None:
    assert form.set_values({"loras": "ink: -0.25\nbrush: 2"}) == {}
    names = [box.currentText() for box in editor(form).findChildren(QComboBox)]
    assert names == ["ink", "brush"] and form.values()["loras"] == "ink: -0.25\nbrush: 2"


def test_a_file_is_dropped(qtbot, form, tmp_path: Path) -> None:
    told = QMimeData()
    told.setUrls([QUrl.fromLocalFile(str(tmp_path / "mine.safetensors"))])
    event = QDropEvent(
        QPointF(5, 5), Qt.DropAction.CopyAction, told, Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    editor(form).dropEvent(event)
    assert form.values()["loras"] == f"{tmp_path / 'mine.safetensors'}: 1"


def test_the_same_twice_is_refused_under_the_row(qtbot, form) -> None:
    add(qtbot, form)
    add(qtbot, form)
    second = editor(form).findChildren(QComboBox)[1]
    second.setEditText("brush")
    with pytest.raises(InvalidTask):
        form.task(prompt="a cat")
    assert "there twice" in editor(form)._problem.text()
