"""Curves of several runs beside each other: chosen in the list, named, told apart."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QListView, QToolButton
from pytestqt.qtbot import QtBot
from training_runs import finished_run, values

from engine import folders
from engine.process import Standby
from engine.worker import Engine
from studio.settings import Settings
from studio.widgets.curve_pane import CurvePane
from studio.widgets.run_row import sign_place
from studio.workspaces.train import TrainWorkspace

Open = Callable[..., TrainWorkspace]


@pytest.fixture
def open_train(qtbot: QtBot, qapp: QApplication) -> Iterator[Open]:
    """The workspace over that many finished runs, "run-0" the newest and on the page."""
    standby = Standby(isolated=False)
    engine = Engine("train", standby)

    def open_it(count: int) -> TrainWorkspace:
        for number in range(count):
            run = finished_run(folders.runs() / f"run-{number}", steps=100 - 10 * number)
            os.utime(run.path / "run.json", (1000 - number, 1000 - number))
        workspace = TrainWorkspace(engine, Settings())
        qtbot.addWidget(workspace)
        workspace.resize(1366, 768)
        workspace.show()
        workspace.findChild(QListView)  # the list is behind the tab of New run
        workspace.runs.parentWidget().raise_()
        qtbot.waitUntil(lambda: workspace.page.monitor.plot.last_step == 100)
        qtbot.waitUntil(lambda: len(workspace.runs.paths) == count)
        return workspace

    yield open_it
    engine.close()
    standby.close()


def sign(view: QListView, row: int) -> QPoint:
    return sign_place(view.visualRect(view.model().index(row, 0))).center()


def click_sign(qtbot: QtBot, workspace: TrainWorkspace, row: int) -> None:
    view = workspace.runs.findChild(QListView)
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=sign(view, row))


def loss(workspace: TrainWorkspace) -> CurvePane:
    return next(p for p in workspace.page.monitor.plot.visible_panes() if p.title == "Loss")


def points(pane: CurvePane, run: str, name: str) -> int:
    """How many of them the line of another run has on the screen."""
    curve = pane._others.get(str(folders.runs() / run), {}).get(name)
    drawn = curve._front.getData()[0] if curve else None
    return 0 if drawn is None else len(drawn)


def test_a_click_on_the_sign_draws_another_run_beside_without_choosing_it(
    qtbot: QtBot, open_train: Open
) -> None:
    workspace = open_train(2)
    click_sign(qtbot, workspace, 1)
    pane = loss(workspace)
    qtbot.waitUntil(lambda: "run-1" in str(list(pane._others)))
    qtbot.waitUntil(lambda: points(pane, "run-1", "generator_loss") == 10)
    assert workspace._control and workspace._control.run.path.name == "run-0"
    assert workspace.page.monitor.plot.last_step == 100, "the run on the page is another one"
    compared = workspace.page.monitor.plot.compared
    assert compared.isVisible()
    key = pane._keys["discriminator_loss"]
    shown = [key.value.text(), *(label.text() for _, label in key._others.values())]
    assert shown == [f"{values(step)['discriminator_loss']:.3g}" for step in (100, 90)]
    click_sign(qtbot, workspace, 1)
    assert not pane._others and not compared.isVisible()


def test_runs_have_colours_and_metrics_have_styles(qtbot: QtBot, open_train: Open) -> None:
    workspace = open_train(3)
    click_sign(qtbot, workspace, 1)
    click_sign(qtbot, workspace, 2)
    pane = loss(workspace)
    qtbot.waitUntil(lambda: all(len(curves) == 2 for curves in pane._others.values()))
    looks = {(curve._color, curve._style) for curve in pane._every_curve()}
    assert len(looks) == 6
    raw = [curve._raw.getData()[0] for curves in pane._others.values() for curve in curves.values()]
    assert all(line is None or len(line) == 0 for line in raw), "faint lines of all are a fog"
    assert len({color for color, _ in looks}) == 3
    assert len({style for _, style in looks}) == 2


def test_the_keyboard_keeps_the_run_that_is_shown_for_the_next_one(
    qtbot: QtBot, open_train: Open
) -> None:
    workspace = open_train(2)
    view = workspace.runs.findChild(QListView)
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_Space)
    assert not loss(workspace)._others, "a run is not compared with itself"
    qtbot.keyClick(view, Qt.Key.Key_Down)
    plot = workspace.page.monitor.plot
    qtbot.waitUntil(lambda: plot.last_step == 90)
    qtbot.waitUntil(lambda: points(loss(workspace), "run-0", "generator_loss") == 11)
    qtbot.waitUntil(lambda: plot._range == (0.0, 100.0))


def test_the_cross_beside_the_name_takes_a_run_away(qtbot: QtBot, open_train: Open) -> None:
    workspace = open_train(2)
    click_sign(qtbot, workspace, 1)
    plot = workspace.page.monitor.plot
    (cross,) = plot.compared.findChildren(QToolButton)
    assert "run-1" in cross.accessibleName(), (
        "both are called alike, so the folder tells them apart"
    )
    qtbot.mouseClick(cross, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not plot.compared.runs)
    assert not plot.compared.isVisible()


def test_too_many_runs_are_refused_with_the_reason(qtbot: QtBot, open_train: Open) -> None:
    workspace = open_train(6)
    for row in range(1, 6):
        click_sign(qtbot, workspace, row)
    assert len(workspace.page.monitor.plot.compared.runs) == 4
    assert "told apart" in workspace.page.notice.text()


def test_a_compared_run_that_cannot_be_read_is_named_once(qtbot: QtBot, open_train: Open) -> None:
    workspace = open_train(2)
    (Path(folders.runs()) / "run-1" / "run.json").write_text("{")
    click_sign(qtbot, workspace, 1)
    qtbot.waitUntil(lambda: workspace.page.errors.isVisible())
    assert "run-1" in workspace.page.errors.details()
    assert not workspace.page.monitor.plot.compared.runs
