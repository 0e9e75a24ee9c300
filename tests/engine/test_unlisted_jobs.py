"""Jobs that answer at once, such as to the drag of a slider: nothing else takes note of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from small_tasks import Count, Misbehave

from engine.events import Progress
from engine.process import Standby
from engine.worker import Engine, Job, JobState


@pytest.fixture
def engine(qtbot: QtBot) -> Iterator[Engine]:
    standby = Standby(isolated=False)
    engine = Engine("make", standby)
    yield engine
    engine.close()
    standby.close()


def test_it_reports_and_ends_like_any_other(qtbot: QtBot, engine: Engine, tmp_path: Path) -> None:
    job = Job(Count(total=3), tmp_path, listed=False)
    heard: list[object] = []
    job.reported.connect(heard.append)
    engine.submit(job)
    qtbot.waitUntil(lambda: job.state is JobState.FINISHED)
    assert any(isinstance(event, Progress) for event in heard)
    failing = Job(Misbehave(how="error"), tmp_path, listed=False)
    engine.submit(failing)
    qtbot.waitUntil(lambda: failing.state is JobState.FAILED)


def test_no_list_shows_it_and_no_training_waits(
    qtbot: QtBot, engine: Engine, tmp_path: Path
) -> None:
    told: list[object] = []
    engine.jobs_changed.connect(lambda: told.append("jobs"))
    engine.busy_changed.connect(told.append)
    job = Job(Count(total=3), tmp_path, listed=False)
    engine.submit(job)
    assert engine.jobs == [] and not engine.busy
    qtbot.waitUntil(lambda: job.state.ended)
    assert told == []


def test_closing_ends_it(qtbot: QtBot, engine: Engine, tmp_path: Path) -> None:
    job = Job(Count(total=1_000_000, pause=0.01), tmp_path, listed=False)
    with qtbot.waitSignal(job.started):
        engine.submit(job)
    engine.close()
    assert job.state is JobState.CANCELLED
