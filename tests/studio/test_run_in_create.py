"""From a run that draws in Create to Create, set up for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine import folders
from engine.runs import RunFolder
from studio.app import Studio
from studio.panels.log_records import LogHandler
from studio.run_in_create import settings_for
from studio.workspaces.create import CreateWorkspace
from studio.workspaces.train import TrainWorkspace

LORA = {
    "task": "train_lora",
    "base": {"name": "stickers", "sha256": ""},
    "sample_prompts": ["zorblat", "red fox"],
}


@pytest.fixture
def studio(qtbot: QtBot, qapp: QApplication) -> Iterator[Studio]:
    studio = Studio(qapp, LogHandler())
    with qtbot.waitExposed(studio.window):
        studio.window.show()
    yield studio
    studio.window.close()
    studio.close()


def put_run(name: str, told: dict[str, object]) -> Path:
    run = RunFolder(folders.runs() / name)
    run.create(told)
    return run.path


def test_each_kind_of_run_knows_how_it_is_drawn_with(home: Path) -> None:
    assert settings_for(put_run("mine", LORA)) == {
        "model": "stickers",
        "loras": "mine: 1",
        "prompt": "zorblat",
    }
    told = {"task": "train_text_to_image", "sample_prompts": ["red heart"]}
    assert settings_for(put_run("hearts", told)) == {"model": "hearts", "prompt": "red heart"}
    assert settings_for(put_run("digits", {"task": "train_gan"})) is None
    assert settings_for(None) is None


def test_draw_opens_create_with_the_lora_and_undo_takes_it_back(qtbot, studio: Studio) -> None:
    run = put_run("mine", LORA)
    train = cast(TrainWorkspace, studio.window.open_workspace("train"))
    train.show_run(RunFolder(run))
    qtbot.waitUntil(lambda: train.drawing.run == run)
    train._show_drawing()
    create = studio.window.workspace_named("create")
    assert isinstance(create, CreateWorkspace)
    assert studio.window.windowTitle().endswith("Create — Atelier")
    assert create.form.values()["loras"] == "mine: 1"
    assert create.easel.prompt.toPlainText() == "zorblat"
    create.undo_stack.undo()
    assert create.form.values()["loras"] == ""
