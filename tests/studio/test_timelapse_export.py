"""The film of a run, asked for under the timeline by mouse and keyboard."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox
from pytestqt.qtbot import QtBot
from training_runs import finished_run

from engine import folders
from engine.process import Standby
from engine.timelapse import Frames
from engine.worker import Engine
from studio.settings import Settings
from studio.workspaces.train import TrainWorkspace

Open = Callable[[], TrainWorkspace]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that would have been shown in a file manager."""
    shown: list[Path] = []
    monkeypatch.setattr(
        "studio.run_task.QDesktopServices.openUrl",
        lambda url: shown.append(Path(url.toLocalFile())),
    )
    return shown


@pytest.fixture
def open_train(qtbot: QtBot, qapp: QApplication) -> Iterator[Open]:
    standby = Standby(isolated=False)
    engines = [Engine(name, standby) for name in ("train", "make")]

    def open_it() -> TrainWorkspace:
        finished_run(folders.runs() / "run-1")
        workspace = TrainWorkspace(engines[0], Settings(), engines[1])
        qtbot.addWidget(workspace)
        workspace.resize(1366, 768)
        workspace.show()
        qtbot.waitUntil(lambda: workspace.page.monitor.plot.last_step == 100)
        return workspace

    yield open_it
    for engine in engines:
        engine.close()
    standby.close()


def button(workspace: TrainWorkspace, name: str) -> QAbstractButton:
    return next(
        b
        for b in workspace.page.findChildren(QAbstractButton)
        if name in (b.text(), b.accessibleName()) and b.isVisible()
    )


def films() -> list[Path]:
    return sorted(folders.outputs().glob("*-timelapse*"))


def test_two_clicks_make_a_film_and_show_where_it_is(
    qtbot: QtBot, open_train: Open, opened: list[Path]
) -> None:
    workspace = open_train()
    qtbot.mouseClick(button(workspace, "Export timelapse"), Qt.MouseButton.LeftButton)
    qtbot.mouseClick(button(workspace, "Export"), Qt.MouseButton.LeftButton)
    bar = workspace._studies.products.task("film").bar
    assert bar._bar.isVisible() and not button(workspace, "Export").isEnabled()
    qtbot.waitUntil(lambda: bool(opened), timeout=20_000)
    (film,) = films()
    with Image.open(film) as picture:
        assert picture.format == "GIF" and picture.n_frames == 6
    assert opened == [folders.outputs()]
    assert "run-1-timelapse.gif" in bar._said.text() and not bar._bar.isVisible()


def test_the_keyboard_chooses_the_format(
    qtbot: QtBot, open_train: Open, opened: list[Path]
) -> None:
    workspace = open_train()
    bar = workspace._studies.products.task("film").bar
    workspace.activateWindow()
    qtbot.keyClick(
        workspace,
        Qt.Key.Key_E,
        Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier,
    )
    assert bar.isVisible()
    combo = bar.findChild(QComboBox)
    qtbot.keyClick(combo, Qt.Key.Key_Down)
    qtbot.keyClick(bar, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(opened), timeout=20_000)
    assert [film.suffix for film in films()] == [".webp"]
    qtbot.keyClick(bar, Qt.Key.Key_Escape)
    assert not bar.isVisible()


def test_what_goes_wrong_is_said_there_with_a_way_out(
    qtbot: QtBot, open_train: Open, opened: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.film_files.find_spec", lambda name: None)
    workspace = open_train()
    bar = workspace._studies.products.task("film").bar
    bar.open()
    bar._editors["file_format"].setCurrentText("MP4")
    qtbot.mouseClick(button(workspace, "Export"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bar.errors.isVisible(), timeout=20_000)
    assert "Or choose GIF or WebP" in bar.errors.details()
    assert button(workspace, "Export").isEnabled() and not opened


def test_put_away_a_film_that_is_being_made_is_given_up(
    qtbot: QtBot, open_train: Open, opened: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = Frames.frame
    monkeypatch.setattr(Frames, "frame", lambda *args: (time.sleep(0.2), frame(*args))[1])
    workspace = open_train()
    bar = workspace._studies.products.task("film").bar
    bar.open()
    bar.request()
    qtbot.mouseClick(button(workspace, "Close"), Qt.MouseButton.LeftButton)
    (job,) = workspace._make.jobs
    qtbot.waitUntil(lambda: job.state.ended, timeout=20_000)
    assert not bar.isVisible() and not films() and not opened
