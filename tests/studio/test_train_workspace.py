"""The Train workspace by mouse and keyboard, on real run folders and with a real small GAN."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QListView, QWidget
from pytestqt.qtbot import QtBot
from training_runs import begin_run, finished_run, learn, values

from engine import folders
from engine.process import Standby
from engine.runs import RunFolder
from engine.task import Task
from engine.worker import Engine, JobState
from studio.settings import Settings
from studio.widgets.timeline import Scrubber
from studio.workspaces.train import TrainWorkspace

LOADING = 120_000  # milliseconds for a model process to import torch and begin


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


def button(within: QWidget, name: str) -> QAbstractButton:
    """The visible button with this text or accessible name."""
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
    # Not in the middle, where a button with a menu may have its arrow, whose menu would wait.
    where = QPoint(found.height() // 4, found.height() // 2)
    qtbot.mouseClick(found, Qt.MouseButton.LeftButton, pos=where)


def wait_for(qtbot: QtBot, said: str, workspace: TrainWorkspace, timeout: int = 5000) -> None:
    def check() -> None:
        assert said in workspace.page.transport.text

    qtbot.waitUntil(check, timeout=timeout)


# --------------------------------------------------------------------------- past runs


def test_with_nothing_trained_yet_one_button_starts(
    qtbot: QtBot, open_train: Callable[[], TrainWorkspace]
) -> None:
    workspace = open_train()
    assert button(workspace._empty, "Start").isVisible()
    assert not workspace.page.isVisible()


def test_a_past_run_is_shown_and_the_scrubber_and_the_curves_share_a_cursor(
    qtbot: QtBot, open_train: Callable[[], TrainWorkspace]
) -> None:
    finished_run(folders.runs() / "train_gan-1")
    workspace = open_train()
    wait_for(qtbot, "Step 100 of 100 · finished", workspace)
    monitor = workspace.page.monitor
    assert workspace.page.title == "GAN · digits"
    assert monitor.plot.last_step == 100
    assert monitor.timeline.step == 100
    scrubber = monitor.findChild(Scrubber)
    scrubber.setFocus()
    qtbot.keyClick(scrubber, Qt.Key.Key_Home)
    qtbot.keyClick(scrubber, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: _shade(workspace) == 40)
    assert monitor.grid.caption == "Step 20 · 2 of 6"
    (loss, _) = monitor.plot.visible_panes()
    assert loss._position.value() == 20
    monitor.plot.step_clicked.emit(78)
    qtbot.waitUntil(lambda: _shade(workspace) == 160)
    assert loss._position.value() == 80


def _shade(workspace: TrainWorkspace) -> int:
    image = workspace.page.monitor.grid.image
    return image.pixelColor(0, 0).red() if image else -1


def test_a_run_of_another_program_is_followed_while_it_grows(
    qtbot: QtBot, open_train: Callable[[], TrainWorkspace]
) -> None:
    run = begin_run(folders.runs() / "train_gan-1")
    learn(run, 0, 20)
    workspace = open_train()
    wait_for(qtbot, "Step 20 of 100 · learning 5.0 steps/s 16 s left", workspace)
    learn(run, 21, 60)
    wait_for(qtbot, "Step 60 of 100 · learning 5.0 steps/s 8 s left", workspace)
    assert workspace.page.monitor.plot.last_step == 60
    assert workspace.page.monitor.timeline.step == 60
    run.beat("failed", 60)
    wait_for(qtbot, "failed", workspace)


def test_a_run_of_another_program_is_steered_through_its_folder(
    qtbot: QtBot, open_train: Callable[[], TrainWorkspace]
) -> None:
    run = begin_run(folders.runs() / "train_gan-1")
    learn(run, 0, 20)
    workspace = open_train()
    page = workspace.page
    wait_for(qtbot, "learning", workspace)
    assert not button(page, "Single step").isEnabled()
    click(qtbot, page, "Pause")
    wait_for(qtbot, "pausing at the next step", workspace)
    run.log_event(20, "pause #1")
    run.beat("paused", 20)
    wait_for(qtbot, "paused", workspace)
    click(qtbot, page, "Single step")
    click(qtbot, page, "Sample now")
    click(qtbot, page, "Save now")
    click(qtbot, page, "Resume")
    click(qtbot, page, "Stop")
    assert [command.word for _, command in run.commands_after(0)] == [
        "pause",
        "step",
        "sample",
        "save",
        "resume",
        "stop",
    ]
    assert page.monitor.plot._marks == {20: "paused"}
    run.beat("stopped", 20)
    wait_for(qtbot, "stopped", workspace)
    assert not button(page, "Stop").isEnabled()
    assert not button(page, "Train further…").isEnabled(), "there is no checkpoint"


def test_a_run_that_does_not_answer_is_said_to(
    qtbot: QtBot,
    open_train: Callable[[], TrainWorkspace],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("studio.run_control.ANSWER_WITHIN", 50)
    learn(begin_run(folders.runs() / "train_gan-1"), 0, 20)
    workspace = open_train()
    wait_for(qtbot, "learning", workspace)
    click(qtbot, workspace.page, "Pause")
    qtbot.waitUntil(lambda: "not answered" in workspace.page.notice.text())
    assert workspace.page.notice.isVisible()


def test_a_run_whose_process_is_gone_is_interrupted_and_says_what_is_left(
    qtbot: QtBot, open_train: Callable[[], TrainWorkspace]
) -> None:
    run = begin_run(folders.runs() / "train_gan-1")
    learn(run, 0, 40)
    beat = run.path / "heartbeat.json"
    beat.write_text(beat.read_text().replace(f'"pid": {os.getpid()}', '"pid": 4194305'))
    workspace = open_train()
    wait_for(qtbot, "interrupted", workspace)
    box = workspace.page.errors
    qtbot.waitUntil(box.isVisible)
    assert "interrupted at step 40" in box.details()
    assert "no checkpoint" in box.details()


def test_a_rewound_run_shows_only_what_counts(
    qtbot: QtBot, open_train: Callable[[], TrainWorkspace]
) -> None:
    run = begin_run(folders.runs() / "train_gan-1")
    learn(run, 0, 80)
    workspace = open_train()
    plot = workspace.page.monitor.plot
    qtbot.waitUntil(lambda: plot.last_step == 80)
    run.drop_metrics_after(40)
    run.log_event(40, "resumed")
    run.log(50, values(50))
    qtbot.waitUntil(lambda: plot.last_step == 50)
    assert plot._marks == {40: "resumed"}
    assert list(plot._series["d_real"].steps) == [0, 10, 20, 30, 40, 50]


def test_runs_are_listed_newest_first_found_by_words_and_chosen_by_keyboard(
    qtbot: QtBot, open_train: Callable[[], TrainWorkspace]
) -> None:
    for number, name in enumerate(("old", "middle", "new")):
        run = finished_run(folders.runs() / name, steps=20 * (number + 1))
        os.utime(run.path / "run.json", (1000 * number, 1000 * number))
    folder = folders.runs()
    workspace = open_train()
    runs = workspace.runs
    qtbot.waitUntil(lambda: len(runs.paths) == 3)
    assert [path.name for path in runs.paths] == ["new", "middle", "old"]
    assert "finished · 60 / 100" in runs.caption(folder / "new")
    assert workspace._control and workspace._control.run.path == folder / "new"
    view = runs.findChild(QListView)
    qtbot.keyClick(view, Qt.Key.Key_Down)
    wait_for(qtbot, "Step 40", workspace)
    qtbot.keyClicks(runs.findChild(QLineEdit), "old")
    assert [path.name for path in runs.paths] == ["old"]


def test_an_attached_run_elsewhere_is_listed_and_a_damaged_one_named(
    qtbot: QtBot, open_train: Callable[[], TrainWorkspace], tmp_path: Path
) -> None:
    finished_run(tmp_path / "elsewhere")
    broken = finished_run(folders.runs() / "broken")
    (broken.path / "run.json").write_text("{")
    workspace = open_train()
    qtbot.waitUntil(lambda: workspace.page.errors.isVisible())
    assert "run.json" in workspace.page.errors.details()
    workspace.runs.attach(tmp_path / "elsewhere")
    wait_for(qtbot, "finished", workspace)
    qtbot.waitUntil(lambda: len(workspace.runs.paths) == 2)
    assert workspace.runs.caption(broken.path) == "damaged"
    assert not workspace.page.errors.isVisible()


def test_more_steps_are_counted_from_the_checkpoint_that_is_newest_when_asked(
    qtbot: QtBot, open_train: Callable[[], TrainWorkspace], engine: Engine
) -> None:
    run = finished_run(folders.runs() / "train_gan-1")
    _pretend_checkpoint(run, 80)
    workspace = open_train()
    wait_for(qtbot, "finished", workspace)
    further = workspace.page.further
    click(qtbot, workspace.page, "Train further…")
    qtbot.keyClicks(further._steps, "10")
    _pretend_checkpoint(run, 100)
    qtbot.keyClick(further._steps, Qt.Key.Key_Return)
    job = engine.jobs[-1]
    job.cancel()
    assert job.task.to_dict()["max_steps"] == 110
    qtbot.waitUntil(lambda: job.state.ended, timeout=LOADING)


def _pretend_checkpoint(run: RunFolder, step: int) -> None:
    folder = run.path / "checkpoints" / f"step-{step}"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")


@pytest.mark.parametrize(
    ("trainer", "sampler"),
    [
        ("train_vae", "sample_vae"),
        ("train_diffusion", "sample_diffusion"),
        ("train_autoencoder", ""),
    ],
)
def test_what_draws_is_chosen_by_what_the_run_has_learned(
    qtbot: QtBot, open_train: Callable[[], TrainWorkspace], trainer: str, sampler: str
) -> None:
    run = finished_run(folders.runs() / "run", task=trainer)
    _pretend_checkpoint(run, 100)
    workspace = open_train()
    wait_for(qtbot, "finished", workspace)
    click(qtbot, workspace.page, "Draw samples")
    drawing = workspace.drawing
    assert button(drawing, "Draw").isEnabled() == bool(sampler)
    asked: list[Task] = []
    drawing.draw_requested.disconnect()  # there is nothing to draw with
    drawing.draw_requested.connect(asked.append)
    qtbot.mouseClick(button(drawing, "Draw"), Qt.MouseButton.LeftButton)
    assert [task.name() for task in asked] == ([sampler] if sampler else [])
    assert all(task.to_dict()["run_folder"] == str(run.path) for task in asked)


# --------------------------------------------------------------------------- real training


def test_a_gan_is_trained_paused_stepped_stopped_trained_further_and_drawn_from(
    qtbot: QtBot, open_train: Callable[[], TrainWorkspace], engine: Engine
) -> None:
    workspace = open_train()
    page = workspace.page
    workspace.new_run.form.set_values(
        {"model": "mlp_small", "max_steps": 100_000, "batch_size": 4}
        | {"log_every": 5, "sample_every": 20}
    )
    click(qtbot, workspace._empty, "Start")
    wait_for(qtbot, "learning", workspace, LOADING)
    job = engine.jobs[-1]
    run = RunFolder(job.out)
    qtbot.waitUntil(lambda: len(page.monitor.timeline._scrubber.steps) > 2, timeout=LOADING)
    assert page.monitor.timeline.live
    qtbot.waitUntil(lambda: page.monitor.grid.image is not None)

    qtbot.keyClick(button(page, "Pause"), Qt.Key.Key_Space)
    wait_for(qtbot, "paused", workspace)
    assert job.progress
    before = job.progress.step
    click(qtbot, page, "Single step")
    wait_for(qtbot, f"Step {before + 1:,} of 100,000 · paused", workspace)
    click(qtbot, page, "Save now")
    qtbot.waitUntil(lambda: [step for step, _ in run.checkpoints()] == [before + 1])
    click(qtbot, page, "Resume")
    wait_for(qtbot, "learning", workspace)
    click(qtbot, page, "Stop")
    wait_for(qtbot, "stopped", workspace)
    qtbot.waitUntil(lambda: job.state is JobState.FINISHED)
    stopped_at = run.checkpoints()[-1][0]
    assert stopped_at > before
    qtbot.waitUntil(lambda: "stopped" in workspace.runs.caption(run.path))

    qtbot.waitUntil(lambda: button(page, "Train further…").isEnabled())
    click(qtbot, page, "Train further…")
    qtbot.keyClicks(page.further._steps, "10")
    qtbot.keyClick(page.further._steps, Qt.Key.Key_Return)
    end = stopped_at + 10
    wait_for(qtbot, f"Step {end:,} of {end:,} · finished", workspace, LOADING)
    assert engine.jobs[-1] is not job and run.checkpoints()[-1][0] == end

    click(qtbot, page, "Draw samples")
    workspace.drawing.form.set_values({"num_images": 4})
    qtbot.waitUntil(lambda: button(workspace.drawing, "Draw").isEnabled())
    click(qtbot, workspace.drawing, "Draw")
    grid = page.monitor.grid
    qtbot.waitUntil(lambda: grid.caption.startswith("Drawn now: 4 images"), timeout=LOADING)
    click(qtbot, page, "Newest")
    assert grid.caption.startswith("Step ")


def test_what_is_wrong_with_the_data_is_said_on_the_page_of_the_run(
    qtbot: QtBot, open_train: Callable[[], TrainWorkspace], engine: Engine, tmp_path: Path
) -> None:
    empty = tmp_path / "no pictures here"
    empty.mkdir()
    workspace = open_train()
    workspace.new_run.form.set_values({"dataset": str(empty)})
    click(qtbot, workspace._empty, "Start")
    qtbot.waitUntil(lambda: workspace.page.errors.isVisible(), timeout=LOADING)
    assert "no pictures here" in workspace.page.errors.details()
    wait_for(qtbot, "failed", workspace)
    Image.new("L", (28, 28)).save(empty / "one.png")
    click(qtbot, workspace.page.errors, "Retry")
    wait_for(qtbot, "learning", workspace, LOADING)
    assert not workspace.page.errors.isVisible()
    click(qtbot, workspace.page, "Stop")
    qtbot.waitUntil(lambda: not engine.busy, timeout=LOADING)


def test_a_queued_run_can_be_taken_back_before_it_begins(
    qtbot: QtBot, open_train: Callable[[], TrainWorkspace], engine: Engine
) -> None:
    workspace = open_train()
    workspace.new_run.form.set_values({"model": "mlp_small", "max_steps": 100_000})
    click(qtbot, workspace._empty, "Start")
    wait_for(qtbot, "learning", workspace, LOADING)
    click(qtbot, workspace.new_run, "Start training")
    wait_for(qtbot, "waiting for its turn", workspace)
    click(qtbot, workspace.page, "Stop")
    first, second = engine.jobs[-2:]
    first.cancel()
    qtbot.waitUntil(lambda: not engine.busy, timeout=LOADING)
    assert second.state is JobState.CANCELLED
    wait_for(qtbot, "stopped", workspace)
