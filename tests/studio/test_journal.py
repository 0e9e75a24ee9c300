"""What was being made when the studio was killed is there again at the next start."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from engine.process import Standby
from engine.registry import task_class
from engine.worker import Engine, Job, JobState
from studio.journal import Journal


@pytest.fixture
def engine(qtbot: QtBot) -> Iterator[Engine]:
    standby = Standby()
    engine = Engine("make", standby)
    yield engine
    engine.close()
    standby.close()


def drawing(path: Path) -> Job:
    return Job(task_class("text_to_image").from_dict({"prompt": "a fox", "seed": 7}), path)


def test_a_request_is_on_disk_before_it_starts(engine: Engine, home: Path) -> None:
    journal = Journal([engine])
    job = drawing(home)
    engine.submit(job)
    written = json.loads((home / "journal.json").read_text())
    assert [entry["fields"]["prompt"] for entry in written] == ["a fox"]
    assert journal is not None


def test_an_interrupted_job_comes_back_and_can_be_retried(
    qtbot: QtBot, engine: Engine, home: Path
) -> None:
    first = Journal([engine])
    job = drawing(home)
    engine.submit(job)
    killed = (home / "journal.json").read_text()
    job.cancel()
    qtbot.waitUntil(lambda: job.state.ended, timeout=20_000)
    assert json.loads((home / "journal.json").read_text()) == []
    engine.remove(job)
    del first

    (home / "journal.json").write_text(killed)  # as a kill -9 would have left it
    again = Journal([engine])
    [back] = engine.jobs
    assert (back.state, back.task, back.out) == (JobState.FAILED, job.task, home)
    retried = engine.retry(back)
    assert retried.task == job.task
    assert again is not None
    retried.cancel()


@pytest.mark.parametrize(
    "content",
    ["", "{", "[{}]", '{"a": 1}', '[{"engine": "make", "task": "x", "fields": {}, "out": "."}]'],
)
def test_a_damaged_journal_does_not_keep_the_studio_from_opening(
    engine: Engine, home: Path, content: str
) -> None:
    (home / "journal.json").write_text(content)
    Journal([engine])
    assert engine.jobs == []
