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
from engine.registry import is_training, task_class, task_names
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


@pytest.mark.parametrize("trainer", [n for n in task_names() if is_training(task_class(n))])
def test_runs_of_every_trainer_are_offered(
    qtbot: QtBot, workspace: TrainWorkspace, trainer: str
) -> None:
    show(qtbot, workspace, finished(folders.runs() / "x", task=trainer))
    assert workspace.page.copy_run.isEnabled()
    assert "repeats this run" in workspace.page.copy_run.toolTip()


def test_a_run_that_was_steered_is_copied_too(qtbot: QtBot, workspace: TrainWorkspace) -> None:
    run = finished(folders.runs() / "train_gan-1", parts=["generator", "discriminator"])
    run.metrics_path.unlink()
    run.log_event(50, "step generator #1")
    run.log_event(60, "gamma = 2 #2", {"set": {"generator_learning_rate": 0.25}})
    run.log(100, values(100))
    show(qtbot, workspace, run)
    qtbot.mouseClick(workspace.page.copy_run, Qt.MouseButton.LeftButton)
    program = QGuiApplication.clipboard().text()
    ast.parse(program)
    assert "61: {'GENERATOR_RATE': 0.25}" in program
    assert "ALONE = {51: 'generator'}" in program
    assert not workspace.page.errors.isVisible()


def test_a_trainer_without_a_program_says_so_on_the_disabled_button_and_to_the_command(
    qtbot: QtBot, workspace: TrainWorkspace
) -> None:
    show(qtbot, workspace, finished(folders.runs() / "x", task="train_nothing"))
    button = workspace.page.copy_run
    assert not button.isEnabled()
    assert "does not know train_nothing" in button.toolTip()
    action = next(a for a in workspace.findChildren(QAction) if a.objectName() == "python")
    action.trigger()
    assert "train_nothing" in workspace.page.notice.text()
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
