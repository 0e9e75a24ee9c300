"""Walking through what a run can draw, by mouse and keyboard, with a real small GAN."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QSlider
from pytestqt.qtbot import QtBot

from engine import folders, registry
from engine.data import idx
from engine.data.digits import load_digits
from engine.process import Standby
from engine.task import MAX_SEED
from engine.worker import Engine
from studio.settings import Settings
from studio.widgets.walk_panel import WalkPanel
from studio.workspaces.train import TrainWorkspace

Open = Callable[..., TrainWorkspace]


def learned(trainer: str, model: str, folder: Path) -> Path:
    data = folder / "few-images-idx3-ubyte"
    idx.write(data, load_digits()[0][:10, :, :, 0])
    fields = {
        "dataset": str(data), "model": model, "max_steps": 4, "checkpoint_every": 2,
        "batch_size": 4, "latent_dim": 8, "seed": 3,
    }  # fmt: skip
    registry.task_class(trainer).from_dict(fields).run(lambda event: None, folder / "run")
    return folder / "run"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return learned("train_gan", "mlp_small", tmp_path_factory.mktemp("trained"))


@pytest.fixture
def open_train(qtbot: QtBot, qapp: QApplication, trained: Path) -> Iterator[Open]:
    """The workspace over one run, with Walk in front; the models run in a thread."""
    standby = Standby(isolated=False)
    engines = [Engine(name, standby) for name in ("train", "make")]

    def open_it(run: Path = trained) -> TrainWorkspace:
        shutil.copytree(run, folders.runs() / "run-1")
        workspace = TrainWorkspace(engines[0], Settings(), engines[1])
        qtbot.addWidget(workspace)
        workspace.resize(1366, 900)
        workspace.show()
        workspace._studies._walk()
        return workspace

    yield open_it
    for engine in engines:
        engine.close()
    standby.close()


def panel(workspace: TrainWorkspace) -> WalkPanel:
    return workspace._studies.walking.panel


def slider(workspace: TrainWorkspace, name: str) -> QSlider:
    return next(s for s in panel(workspace).findChildren(QSlider) if s.accessibleName() == name)


def button(workspace: TrainWorkspace, name: str) -> QAbstractButton:
    buttons = panel(workspace).findChildren(QAbstractButton)
    return next(b for b in buttons if name in (b.text(), b.accessibleName()))


def settled(qtbot: QtBot, workspace: TrainWorkspace) -> bytes:
    """The picture on the panel when nothing more is wanted."""
    walking = workspace._studies.walking
    qtbot.waitUntil(
        lambda: walking.panel.picture.image is not None and not walking._wish.busy, timeout=30_000
    )
    assert walking.panel.picture.image
    return bytes(walking.panel.picture.image.constBits())


def test_the_slider_leads_from_one_seed_to_the_other(qtbot: QtBot, open_train: Open) -> None:
    workspace = open_train()
    middle = settled(qtbot, workspace)
    position = slider(workspace, "Position")
    qtbot.keyClick(position, Qt.Key.Key_Home)
    start = settled(qtbot, workspace)
    qtbot.keyClick(position, Qt.Key.Key_End)
    end = settled(qtbot, workspace)
    assert len({start, middle, end}) == 3
    assert "step 4" in panel(workspace)._caption.text()


def test_a_vae_is_walked_through_as_well(qtbot: QtBot, open_train: Open, tmp_path: Path) -> None:
    workspace = open_train(learned("train_vae", "small", tmp_path))
    middle = settled(qtbot, workspace)
    qtbot.keyClick(slider(workspace, "Direction 1"), Qt.Key.Key_End)
    assert settled(qtbot, workspace) != middle


def test_a_drag_never_loses_its_last_place_and_never_makes_a_queue(
    qtbot: QtBot, open_train: Open
) -> None:
    workspace = open_train()
    settled(qtbot, workspace)
    make = workspace._make
    position = slider(workspace, "Position")
    position.setValue(777)
    expected = settled(qtbot, workspace)
    most = 0
    for place in [*range(0, 1000, 5), 777]:
        position.setValue(place)
        most = max(most, len(make._unlisted))
        qtbot.wait(1)
    assert settled(qtbot, workspace) == expected
    assert most == 1 and make.jobs == []


def test_directions_move_the_picture_and_one_button_goes_back(
    qtbot: QtBot, open_train: Open
) -> None:
    workspace = open_train()
    straight = settled(qtbot, workspace)
    qtbot.keyClick(slider(workspace, "Direction 1"), Qt.Key.Key_End)
    assert settled(qtbot, workspace) != straight
    qtbot.mouseClick(button(workspace, "Straight way"), Qt.MouseButton.LeftButton)
    assert settled(qtbot, workspace) == straight


def test_dice_and_stroll_find_new_seeds(qtbot: QtBot, open_train: Open) -> None:
    workspace = open_train()
    before = settled(qtbot, workspace)
    qtbot.mouseClick(button(workspace, "Throw dice: To seed"), Qt.MouseButton.LeftButton)
    assert settled(qtbot, workspace) != before
    seed = panel(workspace).values()["seed_to"]
    assert 2 < seed <= MAX_SEED
    slider(workspace, "Position").setValue(999)
    qtbot.mouseClick(button(workspace, "Stroll"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel(workspace).values()["seed_from"] == seed, timeout=10_000)
    qtbot.mouseClick(button(workspace, "Stroll"), Qt.MouseButton.LeftButton)
    settled(qtbot, workspace)


def test_a_newer_checkpoint_draws_the_same_place_anew(
    qtbot: QtBot, open_train: Open, trained: Path
) -> None:
    newest = folders.runs() / "run-1" / "checkpoints" / "step-4"
    workspace = open_train()
    newest.rename(aside := folders.runs() / "aside")
    workspace._studies.walking._step = None
    workspace._follower.refresh()
    qtbot.waitUntil(lambda: "step 2" in panel(workspace)._caption.text(), timeout=30_000)
    early = settled(qtbot, workspace)
    aside.rename(newest)
    workspace._follower.refresh()
    qtbot.waitUntil(lambda: "step 4" in panel(workspace)._caption.text(), timeout=30_000)
    assert settled(qtbot, workspace) != early


def test_without_a_checkpoint_it_says_when_the_walk_begins(
    qtbot: QtBot, open_train: Open, trained: Path
) -> None:
    workspace = open_train()
    settled(qtbot, workspace)
    run = folders.runs() / "run-2"
    shutil.copytree(trained, run)
    shutil.rmtree(run / "checkpoints")
    workspace.runs.attach(run)
    qtbot.waitUntil(lambda: "first checkpoint" in panel(workspace)._caption.text(), timeout=10_000)
    assert not slider(workspace, "Position").isEnabled()
    assert panel(workspace).picture.image is None


def test_a_picture_on_the_way_can_be_kept(qtbot: QtBot, open_train: Open) -> None:
    workspace = open_train()
    settled(qtbot, workspace)
    qtbot.mouseClick(button(workspace, "Save picture"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(list(folders.outputs().glob("*-walk-1-2.png"))), timeout=30_000)
    qtbot.waitUntil(lambda: "Saved" in panel(workspace)._caption.text())
