"""Jobs and engines: one ending each, quick cancel, a killed process costs one job."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot
from small_tasks import Count, Misbehave, Say, Stubborn

from engine.errors import EngineError, ModelProcessDied, UnexpectedError
from engine.events import Event, Metric, Notice, Preview, Progress, Token
from engine.outbox import merge
from engine.process import Standby
from engine.task import Task
from engine.worker import Engine, Job, JobState


@pytest.fixture
def standby() -> Iterator[Standby]:
    standby = Standby()
    yield standby
    standby.close()


@pytest.fixture
def engine(qtbot: QtBot, standby: Standby) -> Iterator[Engine]:
    engine = Engine("make", standby)
    yield engine
    engine.close()


class Diary:
    """Everything a job said, in order."""

    def __init__(self, job: Job) -> None:
        self.events: list[Event] = []
        self.endings: list[str] = []
        self.threads: set[int] = set()
        job.reported.connect(self._note)
        job.finished.connect(lambda: self.endings.append("finished"))
        job.failed.connect(lambda error: self.endings.append("failed"))
        job.cancelled.connect(lambda: self.endings.append("cancelled"))

    def _note(self, event: Event) -> None:
        self.threads.add(threading.get_ident())
        self.events.append(event)


def start(engine: Engine, task: Task, out: Path) -> tuple[Job, Diary]:
    job = Job(task, out)
    diary = Diary(job)
    engine.submit(job)
    return job, diary


def wait_for_end(qtbot: QtBot, job: Job, timeout: int = 20_000) -> None:
    qtbot.waitUntil(lambda: job.state.ended, timeout=timeout)


def test_a_job_runs_and_ends_once(qtbot: QtBot, engine: Engine, tmp_path: Path) -> None:
    job, diary = start(engine, Count(total=3), tmp_path)
    wait_for_end(qtbot, job)
    assert job.state is JobState.FINISHED
    assert diary.endings == ["finished"]
    assert job.saved == [tmp_path / "count.txt"]
    assert job.progress == Progress(3, 3, "counting")
    assert diary.threads == {threading.get_ident()}, "events must arrive on the GUI thread"


def test_fast_events_are_throttled_and_nothing_said_is_lost(
    qtbot: QtBot, engine: Engine, tmp_path: Path
) -> None:
    job, diary = start(engine, Say(words=5000), tmp_path)
    wait_for_end(qtbot, job)
    said = "".join(event.text for event in diary.events if isinstance(event, Token))
    assert said == "".join(f"{number} " for number in range(5000))
    job, diary = start(engine, Count(total=20_000), tmp_path)
    began = time.monotonic()
    wait_for_end(qtbot, job)
    seconds = time.monotonic() - began
    assert len(diary.events) <= 30 * seconds + 5
    assert diary.events[-2] == Progress(20_000, 20_000, "counting")


def test_an_error_for_people_arrives_whole(qtbot: QtBot, engine: Engine, tmp_path: Path) -> None:
    job, diary = start(engine, Misbehave(how="error"), tmp_path)
    wait_for_end(qtbot, job)
    assert diary.endings == ["failed"]
    assert isinstance(job.error, EngineError)
    assert (job.error.message, job.error.hint) == ("It broke.", "Mend it.")


def test_a_bug_arrives_with_its_traceback(qtbot: QtBot, engine: Engine, tmp_path: Path) -> None:
    job, _ = start(engine, Misbehave(how="bug"), tmp_path)
    wait_for_end(qtbot, job)
    assert isinstance(job.error, UnexpectedError)
    assert 'raise KeyError("missing")' in job.error.details


@pytest.mark.parametrize(("how", "reason"), [("kill", "SIGKILL"), ("exit", "code 3")])
def test_a_dead_process_costs_one_job(
    qtbot: QtBot, engine: Engine, tmp_path: Path, how: str, reason: str
) -> None:
    died, diary = start(engine, Misbehave(how=how), tmp_path)
    after, _ = start(engine, Count(total=2), tmp_path)
    wait_for_end(qtbot, after)
    assert diary.endings == ["failed"]
    assert isinstance(died.error, ModelProcessDied)
    assert reason in died.error.message
    assert after.state is JobState.FINISHED


def test_a_process_killed_while_idle_is_replaced(
    qtbot: QtBot, engine: Engine, tmp_path: Path
) -> None:
    job, diary = start(engine, Misbehave(how="silent"), tmp_path)
    wait_for_end(qtbot, job)
    pid = next(int(event.message) for event in diary.events if isinstance(event, Notice))
    os.kill(pid, signal.SIGKILL)
    after, _ = start(engine, Count(total=2), tmp_path)
    wait_for_end(qtbot, after)
    assert after.state is JobState.FINISHED


@pytest.mark.parametrize("task", [Count(total=10_000, pause=0.01), Stubborn()])
def test_cancel_is_an_exception_at_the_next_report(
    qtbot: QtBot, engine: Engine, tmp_path: Path, task: Task
) -> None:
    job, diary = start(engine, task, tmp_path)
    qtbot.waitUntil(lambda: len(diary.events) > 2, timeout=20_000)
    pid = engine._process.pid if engine._process else None
    job.cancel()
    job.cancel()
    qtbot.waitUntil(lambda: job.state.ended, timeout=10_000)
    assert diary.endings == ["cancelled"]
    assert engine._process is not None
    assert engine._process.pid == pid, "a task that answers keeps its process and its models"


def test_a_task_that_never_answers_is_ended_with_its_process(
    qtbot: QtBot, engine: Engine, tmp_path: Path
) -> None:
    job, diary = start(engine, Misbehave(how="hang"), tmp_path)
    qtbot.waitUntil(lambda: diary.events != [], timeout=20_000)
    job.cancel()
    qtbot.waitUntil(lambda: job.state.ended, timeout=10_000)
    assert diary.endings == ["cancelled"]
    after, _ = start(engine, Count(total=1), tmp_path)
    wait_for_end(qtbot, after)
    assert after.state is JobState.FINISHED


def test_a_queued_job_is_cancelled_before_it_starts(
    qtbot: QtBot, engine: Engine, tmp_path: Path
) -> None:
    first, _ = start(engine, Count(total=50, pause=0.01), tmp_path)
    second, diary = start(engine, Count(total=1), tmp_path)
    second.cancel()
    wait_for_end(qtbot, second)
    assert first.state.ended
    assert diary.events == []
    assert diary.endings == ["cancelled"]


def test_queued_jobs_can_be_reordered(qtbot: QtBot, engine: Engine, tmp_path: Path) -> None:
    order: list[int] = []
    jobs = [Job(Count(total=20, pause=0.01), tmp_path) for _ in range(4)]
    for job in jobs:
        job.started.connect(lambda number=job.id: order.append(number))
        engine.submit(job)
    qtbot.waitUntil(lambda: jobs[0].state is JobState.RUNNING, timeout=20_000)
    engine.move(jobs[3], -2)
    assert [job.id for job in engine.jobs] == [jobs[n].id for n in (0, 3, 1, 2)]
    wait_for_end(qtbot, jobs[2])
    assert order == [jobs[n].id for n in (0, 3, 1, 2)]


def test_a_parked_job_waits_and_goes_on(qtbot: QtBot, engine: Engine, tmp_path: Path) -> None:
    job, diary = start(engine, Count(total=100, pause=0.01), tmp_path)
    qtbot.waitUntil(lambda: diary.events != [], timeout=20_000)
    engine.set_parked(True)
    qtbot.waitUntil(lambda: job.state is JobState.PARKED, timeout=10_000)
    before = len(diary.events)
    qtbot.wait(300)
    assert len(diary.events) == before
    engine.set_parked(False)
    wait_for_end(qtbot, job)
    assert job.state is JobState.FINISHED


def test_a_parked_job_can_be_cancelled(qtbot: QtBot, engine: Engine, tmp_path: Path) -> None:
    job, _ = start(engine, Count(total=1000, pause=0.01), tmp_path)
    engine.set_parked(True)
    qtbot.waitUntil(lambda: job.state is JobState.PARKED, timeout=20_000)
    job.cancel()
    qtbot.waitUntil(lambda: job.state is JobState.CANCELLED, timeout=10_000)


def test_closing_during_a_job_is_quick_and_leaves_no_process(
    qtbot: QtBot, standby: Standby, tmp_path: Path
) -> None:
    engine = Engine("make", standby)
    _, diary = start(engine, Misbehave(how="hang"), tmp_path)
    start(engine, Count(), tmp_path)
    qtbot.waitUntil(lambda: diary.events != [], timeout=20_000)
    pid = next(int(event.message) for event in diary.events if isinstance(event, Notice))
    began = time.monotonic()
    engine.close()
    assert time.monotonic() - began < 5
    assert not psutil.pid_exists(pid)


@pytest.mark.parametrize("listed", [True, False])
def test_what_a_closed_engine_is_given_is_cancelled_and_begins_no_thread(
    engine: Engine, tmp_path: Path, listed: bool
) -> None:
    engine.close()
    job = Job(Count(total=3), tmp_path, listed=listed)
    diary = Diary(job)
    engine.submit(job)
    engine.close()
    assert diary.endings == ["cancelled"]
    assert not engine.isRunning()


def test_the_same_code_runs_in_a_thread_for_debugging(qtbot: QtBot, tmp_path: Path) -> None:
    engine = Engine("debug", Standby(isolated=False))
    job, diary = start(engine, Misbehave(how="silent"), tmp_path)
    wait_for_end(qtbot, job)
    engine.close()
    assert diary.events == [Notice(str(os.getpid()))]


@pytest.mark.slow
def test_a_thousand_cancels_leak_nothing(qtbot: QtBot, engine: Engine, tmp_path: Path) -> None:
    process = psutil.Process()

    def cycle(times: int) -> None:
        for _ in range(times):
            job, diary = start(engine, Count(total=10_000, pause=0.001), tmp_path)
            qtbot.waitUntil(lambda d=diary: d.events != [], timeout=20_000)
            job.cancel()
            wait_for_end(qtbot, job)
            engine.remove(job)

    cycle(50)
    threads, descriptors, memory = process.num_threads(), process.num_fds(), process.memory_info()
    cycle(1000)
    assert process.num_threads() == threads
    assert process.num_fds() == descriptors
    assert process.memory_info().rss - memory.rss <= 5 * 1024**2


EVENTS = st.one_of(
    st.builds(Token, st.text(max_size=3)),
    st.builds(Progress, st.integers(0, 9), st.just(9)),
    st.builds(Preview, st.just(None), st.integers(0, 2)),
    st.builds(Metric, st.integers(0, 9), st.just({})),
    st.builds(Notice, st.text(max_size=3)),
)


@given(st.lists(EVENTS))
def test_merging_loses_only_what_is_superfluous(events: list[Event]) -> None:
    merged: list[Event] = []
    for event in events:
        merged = merge(merged, event)

    def kept(kind: type, source: list[Event]) -> list[Event]:
        return [event for event in source if isinstance(event, kind)]

    assert "".join(t.text for t in kept(Token, merged)) == "".join(
        t.text for t in kept(Token, events)
    )
    assert kept(Progress, merged) == kept(Progress, events)[-1:]
    for kind in (Metric, Notice):
        assert kept(kind, merged) == kept(kind, events)
    for index in range(3):
        drawn = [p for p in kept(Preview, events) if p.index == index]
        assert [p for p in kept(Preview, merged) if p.index == index] == drawn[-1:]
