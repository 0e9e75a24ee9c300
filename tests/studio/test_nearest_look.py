"""A click on a sample shows its nearest training images: is it learned by heart?"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication
from pytestqt.qtbot import QtBot

from engine import folders
from engine.data import idx
from engine.data.digits import load_digits
from engine.generators import nearest_images
from engine.grid import Cells, image_grid
from engine.process import Standby
from engine.runs import RunFolder
from engine.worker import Engine
from studio.settings import Settings
from studio.widgets.cell_picker import CellPicker
from studio.widgets.nearest_bar import NearestBar
from studio.workspaces.train import TrainWorkspace

Open = Callable[[], TrainWorkspace]


@pytest.fixture
def open_train(qtbot: QtBot, qapp: QApplication) -> Iterator[Open]:
    """A run whose four samples are: training image 7, noise, noise, training image 3."""
    nearest_images._kept.clear()
    standby = Standby(isolated=False)
    engines = [Engine(name, standby) for name in ("train", "make")]

    def open_it() -> TrainWorkspace:
        images = load_digits()[0][:100]
        data = folders.home() / "train-images-idx3-ubyte"
        idx.write(data, images[..., 0])
        run = RunFolder(folders.runs() / "run-1")
        fields = {"dataset": str(data), "max_steps": 100}
        run.create({"task": "train_gan", "fields": fields, "model": {"image_size": 28}})
        noise = np.random.default_rng(1).integers(0, 256, (2, 28, 28, 1), np.uint8)
        run.log(50, {"generator_loss": 1.0})
        run.save_sample(50, image_grid(np.concatenate([images[7:8], noise, images[3:4]])))
        run.beat("finished", 50)
        workspace = TrainWorkspace(engines[0], Settings(), engines[1])
        qtbot.addWidget(workspace)
        workspace.resize(1366, 900)
        workspace.show()
        qtbot.waitUntil(lambda: picker(workspace).cells == Cells(28, 2, 2))
        return workspace

    yield open_it
    for engine in engines:
        engine.close()
    standby.close()


def picker(workspace: TrainWorkspace) -> CellPicker:
    canvas: CellPicker = workspace.page.monitor.grid._canvas
    return canvas


def bar(workspace: TrainWorkspace) -> NearestBar:
    return workspace._studies.nearest.bar


def click(qtbot: QtBot, workspace: TrainWorkspace, cell: int) -> None:
    place = picker(workspace).place(cell).center().toPoint()
    qtbot.mouseClick(picker(workspace), Qt.MouseButton.LeftButton, pos=place)


def wait_for(qtbot: QtBot, workspace: TrainWorkspace, said: str) -> None:
    qtbot.waitUntil(lambda: said in bar(workspace).text, timeout=20_000)


def test_a_click_on_a_copied_sample_says_so_and_shows_both(qtbot: QtBot, open_train: Open) -> None:
    workspace = open_train()
    click(qtbot, workspace, 0)
    wait_for(qtbot, workspace, "Close to a copy: 0%")
    assert "0.000" in bar(workspace).text and "Usual between training images" in bar(workspace).text
    assert bar(workspace).isVisible() and len(bar(workspace)._cells) == 6
    assert picker(workspace)._current == 0
    click(qtbot, workspace, 1)
    wait_for(qtbot, workspace, "No copy")


def test_the_keyboard_chooses_a_sample_too(qtbot: QtBot, open_train: Open) -> None:
    workspace = open_train()
    canvas = picker(workspace)
    assert canvas.focusPolicy() == Qt.FocusPolicy.StrongFocus
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Return):
        qtbot.keyClick(canvas, key)
    assert canvas._current == 3
    wait_for(qtbot, workspace, "Close to a copy: 0%")
    qtbot.keyClick(bar(workspace), Qt.Key.Key_Escape)
    assert not bar(workspace).isVisible() and canvas._current is None


def test_many_quick_clicks_end_with_the_last(qtbot: QtBot, open_train: Open) -> None:
    workspace = open_train()
    for cell in (0, 1, 2, 0, 1, 3):
        click(qtbot, workspace, cell)
    wait_for(qtbot, workspace, "Close to a copy")
    qtbot.waitUntil(lambda: not workspace._studies.nearest._wish.busy)
    assert picker(workspace)._current == 3 and workspace._make.jobs == []


def test_what_goes_wrong_is_said_in_the_bar_and_can_be_tried_again(
    qtbot: QtBot, open_train: Open
) -> None:
    workspace = open_train()
    data = folders.home() / "train-images-idx3-ubyte"
    data.rename(aside := folders.home() / "aside")
    click(qtbot, workspace, 0)
    errors = bar(workspace).errors
    qtbot.waitUntil(lambda: errors.isVisible(), timeout=20_000)
    assert "There is no dataset" in errors.details()
    aside.rename(data)
    retry = next(b for b in errors.findChildren(QAbstractButton) if b.text() == "Retry")
    qtbot.mouseClick(retry, Qt.MouseButton.LeftButton)
    wait_for(qtbot, workspace, "Close to a copy")
    assert not errors.isVisible()


def test_a_picture_that_is_no_such_grid_cannot_be_picked(qtbot: QtBot, open_train: Open) -> None:
    workspace = open_train()
    canvas = picker(workspace)
    canvas.set_cells(29)
    assert canvas.cells is None and canvas.focusPolicy() == Qt.FocusPolicy.NoFocus
    qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton)
    qtbot.keyClick(canvas, Qt.Key.Key_Return)
    assert not bar(workspace).isVisible()
