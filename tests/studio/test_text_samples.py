"""Runs whose samples are texts: shown plainly in place of the grid, scrubbed by the timeline."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine.runs import MetricsTail, RunFolder
from studio.run_follower import RunUpdate, look
from studio.widgets.run_monitor import RunMonitor
from studio.widgets.sample_text import SampleText
from studio.widgets.timeline import Scrubber

STEPS = (0, 20, 40)


@pytest.fixture
def monitor(qtbot: QtBot) -> RunMonitor:
    monitor = RunMonitor()
    qtbot.addWidget(monitor)
    monitor.resize(1000, 600)
    monitor.show()
    return monitor


def language_run(path: Path) -> RunFolder:
    run = RunFolder(path)
    run.create({"task": "train_language_model", "fields": {"max_steps": 40}})
    for step in STEPS:
        run.log(step, {"loss": 7 - step / 10, "val_loss": 7 - step / 11})
        run.save_sample(step, f"<b>Step</b> {step} & 日本\n" + "line\n" * 200)
    run.beat("finished", 40)
    return run


def follow(monitor: RunMonitor, run: RunFolder) -> None:
    update = look(run, MetricsTail(run))
    assert isinstance(update, RunUpdate)
    monitor.show_update(update, 40)


def test_texts_stand_in_place_of_the_grid_and_are_scrubbed(
    qtbot: QtBot, monitor: RunMonitor, tmp_path: Path
) -> None:
    follow(monitor, language_run(tmp_path / "run"))
    text = monitor.text
    qtbot.waitUntil(lambda: text.text.startswith("<b>Step</b> 40 & 日本\nline"))
    assert text.isVisible() and not monitor.grid.isVisible()
    assert text.caption == "Step 40 · 3 of 3"
    scrubber = monitor.findChild(Scrubber)
    scrubber.setFocus()
    qtbot.keyClick(scrubber, Qt.Key.Key_Home)
    qtbot.keyClick(scrubber, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: text.text.startswith("<b>Step</b> 20"))
    assert monitor.plot.visible_panes()[0]._position.value() == 20


def test_another_run_may_have_pictures_again(
    qtbot: QtBot, monitor: RunMonitor, tmp_path: Path
) -> None:
    follow(monitor, language_run(tmp_path / "run"))
    qtbot.waitUntil(lambda: bool(monitor.text.text))
    monitor.clear()
    assert monitor.grid.isVisible() and not monitor.text.text
    run = RunFolder(tmp_path / "pictures")
    run.create({"task": "train_gan", "fields": {"max_steps": 40}})
    path = run.save_sample(0, Image.new("L", (8, 8), 90))
    with qtbot.waitSignal(monitor.grid.shown):
        follow(monitor, run)
    assert monitor.grid.isVisible() and not monitor.text.isVisible()
    written = tmp_path / "written.txt"
    written.write_text("Written now.")
    with qtbot.waitSignal(monitor.text.shown):
        monitor.show_drawn(written, "now")
    with qtbot.waitSignal(monitor.grid.shown) as shown:
        monitor.leave_drawn()
    assert shown.args == [path]


def test_the_place_stays_while_scrubbing_so_that_one_prompt_can_be_followed(
    qtbot: QtBot, monitor: RunMonitor, tmp_path: Path
) -> None:
    run = language_run(tmp_path / "run")
    follow(monitor, run)
    qtbot.waitUntil(lambda: bool(monitor.text.text))
    bar = monitor.text._page.verticalScrollBar()
    bar.setValue(50)
    with qtbot.waitSignal(monitor.text.shown):
        monitor.timeline.go_to(0)
    assert bar.value() == 50


def test_what_cannot_be_read_is_named_and_a_huge_text_is_cut(qtbot: QtBot, tmp_path: Path) -> None:
    view = SampleText()
    qtbot.addWidget(view)
    view.show_sample(tmp_path / "gone.txt", "Step 1")
    qtbot.waitUntil(lambda: "gone.txt cannot be shown" in view.caption)
    huge = tmp_path / "huge.txt"
    huge.write_bytes(b"a" * 300_000)
    with qtbot.waitSignal(view.shown):
        view.show_sample(huge, "Step 2")
    assert len(view.text) == 200_000
    broken = tmp_path / "broken.txt"
    broken.write_bytes(b"caf\xe9 \x00 <script>")
    with qtbot.waitSignal(view.shown):
        view.show_sample(broken, "Step 3")
    assert "<script>" in view.text
