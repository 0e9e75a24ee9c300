"""Copy as Python on the page of a run: what is copied, and what is said where nothing can be."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication
from pytestqt.qtbot import QtBot
from training_runs import values

from engine import folders
from engine.runs import RunFolder
from engine.trainers.train_gan import TrainGan
from engine.worker import Engine
from studio.settings import Settings
from studio.workspaces.train import TrainWorkspace

TOLD: dict[str, Any] = {
    "task": "train_gan",
    "fields": TrainGan(seed=7, max_steps=100).to_dict(),
    "versions": {"torch": "2.13.0"},
    "threads": 1,
    "device": "cpu",
    "precision": "float32",
    "dataset": {"sha256": "0" * 64, "held_out": 2000},
    "model": {"model": "dcgan", "image_size": 28, "channels": 1, "latent_dim": 100, "width": 64},
}


def finished(path: Path, **entries: Any) -> RunFolder:
    run = RunFolder(path)
    run.create({**TOLD, **entries})
    run.log(100, values(100))
    run.beat("finished", 100)
    return run


@pytest.fixture
def workspace(qtbot: QtBot, engine: Engine) -> Iterator[TrainWorkspace]:
    QGuiApplication.clipboard().clear()
    workspace = TrainWorkspace(engine, Settings())
    qtbot.addWidget(workspace)
    workspace.show()
    yield workspace


def show(qtbot: QtBot, workspace: TrainWorkspace, run: RunFolder) -> None:
    workspace.show_run(run)
    qtbot.waitUntil(lambda: "finished" in workspace.page.transport.text)


def test_the_program_of_a_gan_run_is_on_the_clipboard_after_one_click(
    qtbot: QtBot, workspace: TrainWorkspace
) -> None:
    show(qtbot, workspace, finished(folders.runs() / "train_gan-1"))
    button = workspace.page.copy_run
    assert button.isVisible()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    program = QGuiApplication.clipboard().text()
    ast.parse(program)
    assert "SEED = 7" in program
    assert "class Generator(nn.Module)" in program
    assert "Copied" in workspace.page.notice.text()


def test_a_trainer_without_a_program_says_so_on_the_disabled_button_and_to_the_command(
    qtbot: QtBot, workspace: TrainWorkspace
) -> None:
    show(qtbot, workspace, finished(folders.runs() / "x", task="train_text_to_image"))
    button = workspace.page.copy_run
    assert not button.isEnabled()
    assert "no program for runs of train_text_to_image yet" in button.toolTip()
    action = next(a for a in workspace.findChildren(QAction) if a.objectName() == "python")
    action.trigger()
    assert "train_text_to_image" in workspace.page.notice.text()
    assert QGuiApplication.clipboard().text() == ""
    show(qtbot, workspace, finished(folders.runs() / "train_gan-2"))
    assert button.isEnabled()


def test_a_run_that_cannot_be_repeated_says_why_in_place(
    qtbot: QtBot, workspace: TrainWorkspace
) -> None:
    run = finished(folders.runs() / "train_gan-1", dataset={})
    show(qtbot, workspace, run)
    qtbot.mouseClick(workspace.page.copy_run, Qt.MouseButton.LeftButton)
    assert workspace.page.errors.isVisible()
    assert "does not tell enough" in workspace.page.errors.details()
    assert QGuiApplication.clipboard().text() == ""


def test_without_a_run_nothing_is_copied(workspace: TrainWorkspace) -> None:
    assert not workspace.page.copy_run.isEnabled()
    workspace.page.copy_run.copy()
    assert QGuiApplication.clipboard().text() == ""
