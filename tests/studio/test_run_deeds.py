"""Tuning, stepping one network, alarms, rolling back and branching: by mouse and keyboard."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QToolButton, QWidget
from pytestqt.qtbot import QtBot
from training_runs import FIELDS, learn

from engine import folders
from engine.alarms.alarm import Alarm, AllClear, Remedy
from engine.process import Standby
from engine.runs import FORMAT, RunFolder
from engine.trainers.train_gan import TrainGan
from engine.worker import Engine, JobState
from studio.settings import Settings
from studio.workspaces.train import TrainWorkspace

LOADING = 120_000  # milliseconds for a model process to import torch and begin
RATES = {"generator_learning_rate": 0.0005, "discriminator_learning_rate": 0.001}
ALARM = Alarm(
    "discriminator_winning",
    "alarm: the discriminator is winning",
    "It tells every <b>drawn</b> image from a real one.",
    {"d_real": 0.98, "d_fake": 0.02},
    (
        Remedy(None, {"discriminator_learning_rate": 0.0005}),
        Remedy(20),
        Remedy(20, {"discriminator_learning_rate": 0.0005}),
        Remedy(7),
    ),
)


@pytest.fixture(scope="module")
def engine(qapp: QApplication) -> Iterator[Engine]:
    """One engine for all, so that torch is imported once."""
    standby = Standby()
    engine = Engine("train", standby)
    yield engine
    engine.close()
    standby.close()


@pytest.fixture
def open_train(qtbot: QtBot, engine: Engine) -> Callable[[], TrainWorkspace]:
    def open_it() -> TrainWorkspace:
        workspace = TrainWorkspace(engine, Settings())
        qtbot.addWidget(workspace)
        workspace.resize(1366, 768)
        workspace.show()
        qtbot.waitExposed(workspace)
        return workspace

    return open_it


def begin(name: str = "train_gan-1", **more: Any) -> RunFolder:
    """A run of another program, as it stands at step 40, with checkpoints of 20 and 40."""
    run = RunFolder(folders.runs() / name)
    described = {"format": FORMAT, "task": "train_gan", "fields": {**FIELDS, **RATES}}
    parts = {"parts": ["generator", "discriminator"], "live": list(RATES)}
    run.create({**described, "created": "20261122-041500", **parts, **more})
    run.beat("running", 0)
    learn(run, 0, 40)
    for step in (20, 40):
        run.checkpoint_path(step).mkdir()
        (run.checkpoint_path(step) / "manifest.json").write_text("{}")
    return run


def button(within: QWidget, name: str) -> QAbstractButton:
    found = [
        b
        for b in within.findChildren(QAbstractButton)
        if name in (b.text(), b.accessibleName()) and b.isVisible()
    ]
    assert len(found) == 1, f"{len(found)} buttons {name!r}"
    return found[0]


def click(qtbot: QtBot, within: QWidget, name: str) -> None:
    found = button(within, name)
    assert found.isEnabled(), f"{name!r} cannot be pressed"
    qtbot.mouseClick(found, Qt.MouseButton.LeftButton)


def choose(workspace: TrainWorkspace, name: str, entry: str) -> None:
    """An entry of the menu behind a button."""
    tool = button(workspace.page, name)
    assert isinstance(tool, QToolButton) and tool.isEnabled()
    (action,) = (a for a in tool.menu().actions() if a.text() == entry)
    assert action.isEnabled()
    action.trigger()


def sent(run: RunFolder) -> list[dict[str, Any]]:
    found = sorted((run.path / "control").glob("0*.json"))
    return [json.loads(path.read_text()) for path in found]


def wait_for(qtbot: QtBot, said: str, workspace: TrainWorkspace, timeout: int = 20_000) -> None:
    def check() -> None:
        assert said in workspace.page.transport.text

    qtbot.waitUntil(check, timeout=timeout)


def test_a_rate_is_typed_sent_and_shown_as_the_run_says_it_is(
    qtbot: QtBot, open_train: Callable[[], TrainWorkspace]
) -> None:
    run = begin()
    workspace = open_train()
    wait_for(qtbot, "learning", workspace)
    assert not workspace.page.live.isVisible()
    click(qtbot, workspace.page, "Tune")
    box = workspace.page.live.box("generator_learning_rate")
    assert box.isVisible() and box.number() == 0.0005
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, "2e-4")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert sent(run) == [{"command": "set", "name": "generator_learning_rate", "value": 0.0002}], (
        "once"
    )
    run.log_event(
        40, "generator_learning_rate = 0.0002 #1", {"set": {"generator_learning_rate": 2e-4}}
    )
    marks = workspace.page.monitor.plot._marks
    qtbot.waitUntil(lambda: marks == {40: "generator_learning_rate = 0.0002"}, timeout=20_000)
    workspace.page.transport.setFocus()
    run.log_event(40, "resumed", {"set": dict(RATES)})
    qtbot.waitUntil(lambda: box.number() == 0.0005, timeout=20_000)


def test_a_run_without_live_values_or_parts_offers_none(
    qtbot: QtBot, open_train: Callable[[], TrainWorkspace]
) -> None:
    begin(parts=[], live=[])
    workspace = open_train()
    wait_for(qtbot, "learning", workspace)
    assert not workspace.page.transport._tune.isVisible()
    assert button(workspace.page, "Single step").menu() is None  # type: ignore[attr-defined]


def test_one_network_steps_alone(qtbot: QtBot, open_train: Callable[[], TrainWorkspace]) -> None:
    run = begin()
    run.beat("paused", 40)
    workspace = open_train()
    wait_for(qtbot, "paused", workspace)
    choose(workspace, "Single step", "Generator alone")
    choose(workspace, "Single step", "Discriminator alone")
    choose(workspace, "Single step", "All networks")
    assert sent(run) == [
        {"command": "step", "part": "generator"},
        {"command": "step", "part": "discriminator"},
        {"command": "step"},
    ]


def test_an_alarm_is_said_with_its_numbers_and_ways_out(
    qtbot: QtBot, open_train: Callable[[], TrainWorkspace]
) -> None:
    run = begin()
    run.log_event(40, ALARM.event, ALARM.details())
    workspace = open_train()
    banner = workspace.page.alarm
    qtbot.waitUntil(banner.isVisible, timeout=20_000)
    assert "The discriminator is winning · step 40" in banner.text
    assert "every <b>drawn</b> image" in banner.text, "plain text"
    assert "D(x) 0.98 · D(G(z)) 0.02" in banner.text
    assert workspace.page.monitor.plot._marks[40] == "alarm: the discriminator is winning"
    offered = [b.text() for b in banner._buttons.findChildren(QAbstractButton)]
    assert offered == [
        "Discriminator learning rate to 0.0005",
        "Roll back to step 20",
        "Roll back to step 20 and lower the rate",
    ], "there is no checkpoint of step 7"
    click(qtbot, banner, "Roll back to step 20 and lower the rate")
    assert sent(run) == [
        {"command": "roll_back", "step": 20},
        {"command": "set", "name": "discriminator_learning_rate", "value": 0.0005},
    ], "the rate last: going back takes it back"
    assert not banner.isVisible()
    run.log_event(45, "over: the discriminator is winning", AllClear(ALARM.kind, "").details())
    run.log_event(60, ALARM.event, ALARM.details())
    qtbot.waitUntil(banner.isVisible, timeout=20_000)
    click(qtbot, banner, "Put away")
    assert not banner.isVisible()


def test_an_alarm_that_is_over_or_from_before_a_resume_is_not_shown(
    qtbot: QtBot, open_train: Callable[[], TrainWorkspace]
) -> None:
    run = begin()
    run.log_event(20, ALARM.event, ALARM.details())
    run.log_event(30, "over: the discriminator is winning", AllClear(ALARM.kind, "").details())
    workspace = open_train()
    wait_for(qtbot, "learning", workspace)
    assert not workspace.page.alarm.isVisible()
    run.log_event(40, ALARM.event, ALARM.details())
    qtbot.waitUntil(workspace.page.alarm.isVisible, timeout=20_000)
    run.log_event(40, "resumed")
    qtbot.waitUntil(lambda: not workspace.page.alarm.isVisible(), timeout=20_000)


def test_the_menu_is_about_the_checkpoint_under_the_cursor(
    qtbot: QtBot, open_train: Callable[[], TrainWorkspace]
) -> None:
    run = begin()
    workspace = open_train()
    wait_for(qtbot, "learning", workspace)
    checkpoint = workspace.page.transport.checkpoint
    assert checkpoint.step == 40
    workspace.page.monitor.timeline.go_to(20)
    assert checkpoint.step == 20
    workspace.page.monitor.timeline.go_to(0)
    assert checkpoint.step == 20, "there is none before"
    choose(workspace, "Checkpoint", "Roll back to here")
    assert sent(run) == [{"command": "roll_back", "step": 20}]
    assert "rolling back" in workspace.page.transport.text


# --------------------------------------------------------------------------- what may go wrong


def test_a_stop_to_a_machine_that_lost_its_power_does_not_hang(
    qtbot: QtBot, open_train: Callable[[], TrainWorkspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.run_control.ANSWER_WITHIN", 50)
    run = begin()
    beat = {"state": "running", "step": 40, "time": time.time(), "pid": 1, "host": "elsewhere"}
    (run.path / "heartbeat.json").write_text(json.dumps(beat))
    workspace = open_train()
    wait_for(qtbot, "learning", workspace)
    click(qtbot, workspace.page, "Stop")
    wait_for(qtbot, "stopping and saving", workspace)
    monkeypatch.setattr("engine.runs.STALE_AFTER", 0.0)  # half a minute later
    wait_for(qtbot, "interrupted", workspace)
    assert "stopping" not in workspace.page.transport.text
    assert button(workspace.page, "Train further…").isEnabled(), "it goes on from its checkpoint"


def test_a_run_from_a_newer_version_can_be_watched_only(
    qtbot: QtBot, open_train: Callable[[], TrainWorkspace]
) -> None:
    run = begin(format=FORMAT + 1)
    run.beat("stopped", 40)
    workspace = open_train()
    wait_for(qtbot, "stopped", workspace)
    assert workspace.page.monitor.plot.last_step == 40
    assert not button(workspace.page, "Train further…").isEnabled()
    assert not workspace.page.transport._tune.isVisible()
    tool = workspace.page.transport.checkpoint
    assert [a.isEnabled() for a in tool.menu().actions()][-1] is False
    assert "newer version" in workspace.page.notice.text()


def test_two_windows_on_one_run_both_steer_it(
    qtbot: QtBot, open_train: Callable[[], TrainWorkspace]
) -> None:
    run = begin()
    first, second = open_train(), open_train()
    for workspace in (first, second):
        wait_for(qtbot, "learning", workspace)
    click(qtbot, first.page, "Pause")
    click(qtbot, second.page, "Save now")
    click(qtbot, first.page, "Sample now")
    assert [command["command"] for command in sent(run)] == ["pause", "save", "sample"]
    for number, command in enumerate(("pause", "save", "sample"), 1):
        run.log_event(40, f"{command} #{number}")
    run.beat("paused", 40)
    for workspace in (first, second):
        wait_for(qtbot, "paused", workspace)


# --------------------------------------------------------------------------- real training


def test_a_real_run_is_branched_tuned_rolled_back_and_trained_on(
    qtbot: QtBot, open_train: Callable[[], TrainWorkspace], engine: Engine
) -> None:
    task = TrainGan(
        model="mlp_small", max_steps=6, batch_size=4, seed=1, log_every=1, sample_every=2,
        checkpoint_every=2,
    )  # fmt: skip
    source = RunFolder(folders.runs() / "source")
    task.run(lambda event: None, source.path)
    workspace = open_train()
    wait_for(qtbot, "finished", workspace)
    qtbot.waitUntil(lambda: workspace.page.transport.checkpoint.step == 6)
    workspace.page.monitor.timeline.go_to(4)
    choose(workspace, "Checkpoint", "New run from here")
    wait_for(qtbot, "Step 4 of 6 · stopped", workspace)
    assert workspace._control
    made = workspace._control.run
    assert made.path != source.path
    assert made.description()["branched_from"] == {"run": "source", "step": 4}

    qtbot.waitUntil(lambda: workspace.page.transport._tune.isVisible())
    click(qtbot, workspace.page, "Tune")
    box = workspace.page.live.box("generator_learning_rate")
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, "0.25")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    click(qtbot, workspace.page, "Train further…")
    qtbot.keyClicks(workspace.page.further._steps, "3")
    qtbot.keyClick(workspace.page.further._steps, Qt.Key.Key_Return)
    wait_for(qtbot, "Step 7 of 7 · finished", workspace, LOADING)
    qtbot.waitUntil(lambda: engine.jobs[-1].state is JobState.FINISHED, timeout=LOADING)
    marks = workspace.page.monitor.plot._marks
    qtbot.waitUntil(lambda: "generator_learning_rate = 0.25" in marks.values())

    workspace.page.monitor.timeline.go_to(4)
    choose(workspace, "Checkpoint", "Roll back to here")
    qtbot.waitUntil(lambda: len(engine.jobs) == 2, timeout=LOADING)
    qtbot.waitUntil(lambda: engine.jobs[-1].state is JobState.FINISHED, timeout=LOADING)
    assert [p.name for p in (made.path / "abandoned").iterdir()] == ["after-step-4"]
    qtbot.waitUntil(lambda: box.number() == 0.0005)  # it is what it was at step 4


def test_a_box_that_only_has_the_focus_follows_the_run_and_sends_nothing_on_leaving(
    qtbot: QtBot, open_train: Callable[[], TrainWorkspace]
) -> None:
    run = begin()
    workspace = open_train()
    wait_for(qtbot, "learning", workspace)
    click(qtbot, workspace.page, "Tune")
    box = workspace.page.live.box("generator_learning_rate")
    box.setFocus()
    run.log_event(
        41, "generator_learning_rate = 0.002 #1", {"set": {"generator_learning_rate": 0.002}}
    )
    qtbot.waitUntil(lambda: box.number() == 0.002)
    workspace.page.transport.setFocus()
    assert sent(run) == []


def test_a_folder_of_nobodys_making_does_not_break_the_page(
    qtbot: QtBot, open_train: Callable[[], TrainWorkspace], tmp_path: Path
) -> None:
    run = begin(parts="generator", live={"a": 1}, task="unheard_of", format="new")
    run.log_event(40, "x", {"alarm": 3})
    run.log_event(40, "y", {"set": 3})
    workspace = open_train()
    wait_for(qtbot, "learning", workspace)
    assert not workspace.page.alarm.isVisible()
