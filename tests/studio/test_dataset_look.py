"""Looking at the data before a training: from New run to the page and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QTreeWidget
from pytestqt.qtbot import QtBot
from training_runs import finished_run

from engine import folders
from engine.process import Standby
from engine.worker import Engine
from studio.settings import Settings
from studio.widgets.dataset_page import DatasetPage
from studio.workspaces.train import TrainWorkspace

Open = Callable[[], TrainWorkspace]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Three images of which two are the same, and a broken one."""
    folder = tmp_path / "my pictures"
    folder.mkdir()
    for name, seed in (("a", 1), ("b", 2), ("c", 1)):
        noise = np.random.default_rng(seed).integers(0, 256, (32, 32, 3), np.uint8)
        Image.fromarray(noise).save(folder / f"{name}.png")
    (folder / "broken.png").write_bytes(b"nothing")
    return folder


@pytest.fixture
def open_train(qtbot: QtBot, qapp: QApplication) -> Iterator[Open]:
    standby = Standby(isolated=False)
    engines = [Engine(name, standby) for name in ("train", "make")]

    def open_it() -> TrainWorkspace:
        workspace = TrainWorkspace(engines[0], Settings(), engines[1])
        qtbot.addWidget(workspace)
        workspace.resize(1366, 768)
        workspace.show()
        return workspace

    yield open_it
    for engine in engines:
        engine.close()
    standby.close()


def press(qtbot: QtBot, workspace: TrainWorkspace, name: str) -> None:
    buttons = workspace.findChildren(QAbstractButton)
    found = next(b for b in buttons if b.text() == name and b.isVisible())
    qtbot.mouseClick(found, Qt.MouseButton.LeftButton)


def page(workspace: TrainWorkspace) -> DatasetPage:
    return workspace._studies.dataset.page


def facts(workspace: TrainWorkspace) -> dict[str, str]:
    tree = page(workspace).findChild(QTreeWidget)
    items = [tree.topLevelItem(row) for row in range(tree.topLevelItemCount())]
    return {item.text(0): item.text(1) for item in items}


def test_one_click_shows_what_is_in_a_folder_and_names_what_is_wrong(
    qtbot: QtBot, open_train: Open, pictures: Path
) -> None:
    workspace = open_train()
    workspace.new_run.form.set_values({"dataset": str(pictures)})
    press(qtbot, workspace, "Look at the data")
    assert page(workspace).isVisible(), "at once, whatever there is to read"
    qtbot.waitUntil(lambda: "Images" in facts(workspace), timeout=20_000)
    assert facts(workspace) == {
        "Images": "3",
        "Sizes": "32×32",
        "Modes": "RGB",
        "Broken files, left out": "1",
        "Exact duplicates": "1",
        "Near duplicates": "0",
        "With captions": "0",
    }
    tree = page(workspace).findChild(QTreeWidget)
    (broken,) = tree.findItems("Broken files, left out", Qt.MatchFlag.MatchExactly)
    assert broken.child(0).text(0) == "broken.png" and broken.isExpanded()
    (double,) = tree.findItems("Exact duplicates", Qt.MatchFlag.MatchExactly)
    assert (double.child(0).text(0), double.child(0).text(1)) == ("a.png", "c.png")
    qtbot.waitUntil(lambda: page(workspace).grid.image is not None)
    assert not list(folders.outputs().glob("*")), "it is no output, and not in the gallery"


def test_back_shows_what_was_there_before(qtbot: QtBot, open_train: Open, pictures: Path) -> None:
    finished_run(folders.runs() / "run-1")
    workspace = open_train()
    qtbot.waitUntil(lambda: workspace.page.isVisible())
    workspace.new_run.form.set_values({"dataset": str(pictures)})
    press(qtbot, workspace, "Look at the data")
    press(qtbot, workspace, "Look at the data")  # again, from the page itself
    assert not workspace.page.isVisible()
    press(qtbot, workspace, "Back to training")
    assert workspace.page.isVisible()
    qtbot.waitUntil(lambda: not workspace._make.busy, timeout=20_000)


def test_what_cannot_be_looked_at_is_said_there_and_retried(
    qtbot: QtBot, open_train: Open, pictures: Path
) -> None:
    workspace = open_train()
    empty = pictures / "new"
    empty.mkdir()
    workspace.new_run.form.set_values({"dataset": str(empty)})
    press(qtbot, workspace, "Look at the data")
    errors = page(workspace).errors
    qtbot.waitUntil(lambda: errors.isVisible(), timeout=20_000)
    assert "There are no images" in errors.details()
    Image.new("L", (8, 8), 9).save(empty / "one.png")
    press(qtbot, workspace, "Retry")
    qtbot.waitUntil(lambda: facts(workspace).get("Images") == "1", timeout=20_000)
    assert not errors.isVisible()


def test_texts_are_not_looked_at_as_images(qtbot: QtBot, open_train: Open) -> None:
    workspace = open_train()
    workspace.new_run.choose("train_gan")
    assert workspace.new_run.look.isVisible()
    workspace.new_run.choose("train_language_model")
    assert not workspace.new_run.look.isVisible()
