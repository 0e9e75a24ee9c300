"""Wishes that come faster than they can be carried out: the first, then only the last."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot
from small_tasks import Count, Misbehave, Say

from engine.events import Progress
from engine.process import Standby
from engine.worker import Engine, Job
from studio.latest_wish import LatestWish


@pytest.fixture
def wish(qtbot: QtBot) -> Iterator[LatestWish]:
    standby = Standby(isolated=False)
    engine = Engine("make", standby)
    yield LatestWish(engine, engine)
    engine.close()
    standby.close()


def totals(jobs: list[Job]) -> list[int]:
    return [job.task.to_dict()["total"] for job in jobs]


def test_what_is_wished_meanwhile_waits_and_only_the_last_is_done(
    qtbot: QtBot, wish: LatestWish
) -> None:
    done: list[Job] = []
    wish.ended.connect(done.append)
    for total in (5, 6, 7, 8):
        wish.want(lambda total=total: Count(total=total, pause=0.02))
    qtbot.waitUntil(lambda: len(done) == 2 and not wish.busy)
    assert totals(done) == [5, 8]


def test_the_task_is_made_when_its_turn_has_come(qtbot: QtBot, wish: LatestWish) -> None:
    done: list[Job] = []
    wish.ended.connect(done.append)
    place = [5]
    for _ in range(2):
        wish.want(lambda: Count(total=place[0], pause=0.02))
    place[0] = 9
    qtbot.waitUntil(lambda: len(done) == 2)
    assert totals(done) == [5, 9]


def test_after_a_failure_it_goes_on(qtbot: QtBot, wish: LatestWish) -> None:
    done: list[Job] = []
    wish.ended.connect(done.append)
    wish.want(lambda: Misbehave(how="error"))
    wish.want(lambda: Say(words=3))
    qtbot.waitUntil(lambda: len(done) == 2)
    assert done[0].error and not done[1].error


def test_what_is_forgotten_says_nothing_more(qtbot: QtBot, wish: LatestWish) -> None:
    heard: list[object] = []
    wish.reported.connect(heard.append)
    wish.ended.connect(heard.append)
    wish.want(lambda: Count(total=1000, pause=0.01))
    wish.want(lambda: Count(total=3))
    qtbot.waitUntil(lambda: any(isinstance(event, Progress) for event in heard))
    wish.forget()
    count = len(heard)
    qtbot.wait(200)
    assert len(heard) == count and not wish.busy
