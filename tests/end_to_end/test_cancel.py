"""A stop ends the work whatever the model is doing: loading, the first, a middle or the last step.

How quick it is, tests/benchmarks/cancel.py measures; here only the limit after which a process is
killed counts, so that a busy machine fails nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from engine.conversation import KILL_AFTER, SAVE_WITHIN
from engine.events import Event, Progress
from engine.process import Standby
from engine.registry import task_class
from engine.task import Task
from engine.worker import Engine, Job, JobState

WITHIN = KILL_AFTER + SAVE_WITHIN + 5.0  # seconds
STEPS = 12

Moment = Callable[[Progress], bool]

DRAWING_MOMENTS: dict[str, Moment] = {
    "while loading": lambda progress: progress.stage.startswith("loading"),
    "at the first step": lambda progress: _drawn(progress) >= 1,
    "in the middle": lambda progress: _drawn(progress) >= STEPS // 2,
    "at the last step": lambda progress: _drawn(progress) >= STEPS - 1,
}
TRAINING_MOMENTS: dict[str, Moment] = {
    "while loading": lambda progress: progress.stage.startswith("loading"),
    "at the first step": lambda progress: progress.stage == "learning" and progress.step == 0,
    "in the middle": lambda progress: progress.stage == "learning" and progress.step >= 5,
}


def _drawn(progress: Progress) -> int:
    return progress.step if progress.stage.startswith("drawing") else 0


@pytest.fixture(scope="module")
def standby() -> Iterator[Standby]:
    standby = Standby()
    standby.prepare()
    yield standby
    standby.close()


@pytest.fixture
def engine(qtbot: QtBot, standby: Standby) -> Iterator[Engine]:
    engine = Engine("make", standby)
    yield engine
    engine.close()


def seconds_to_stop(qtbot: QtBot, engine: Engine, task: Task, out: Path, moment: Moment) -> float:
    job = Job(task, out)
    asked: list[float] = []

    def cancel_at_the_moment(event: Event) -> None:
        if isinstance(event, Progress) and moment(event) and not asked:
            asked.append(time.monotonic())
            job.cancel()

    job.reported.connect(cancel_at_the_moment)
    engine.submit(job)
    qtbot.waitUntil(lambda: job.state.ended, timeout=120_000)
    assert asked, "the moment never came"
    assert job.state is JobState.CANCELLED
    return time.monotonic() - asked[0]


@pytest.mark.slow
@pytest.mark.parametrize("moment", DRAWING_MOMENTS)
def test_a_drawing_stops(qtbot: QtBot, engine: Engine, tmp_path: Path, moment: str) -> None:
    # Many images, so that the last step of the first is not the end of the work.
    task = task_class("text_to_image").from_dict(
        {"prompt": "red heart", "num_inference_steps": STEPS, "num_images_per_prompt": 8}
    )
    assert seconds_to_stop(qtbot, engine, task, tmp_path, DRAWING_MOMENTS[moment]) <= WITHIN
    assert not list(tmp_path.glob(".*")), "nothing half-written stays"


@pytest.mark.slow
@pytest.mark.parametrize("moment", TRAINING_MOMENTS)
def test_a_training_stops(qtbot: QtBot, engine: Engine, tmp_path: Path, moment: str) -> None:
    task = task_class("train_gan").from_dict({"max_steps": 1000})
    out = tmp_path / "run"
    assert seconds_to_stop(qtbot, engine, task, out, TRAINING_MOMENTS[moment]) <= WITHIN
