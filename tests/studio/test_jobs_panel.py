"""The Jobs panel, used with mouse and keyboard on a real engine."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QModelIndex, QPoint, Qt
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot
from small_tasks import Count, Misbehave

from engine.events import Progress
from engine.worker import Engine, Job, JobState
from studio.panels.job_list import JOB_ROLE, in_order, time_left
from studio.panels.jobs import SEARCH_FROM, JobsPanel


@pytest.fixture
def panel(qtbot: QtBot, engine: Engine) -> JobsPanel:
    panel = JobsPanel([engine])
    qtbot.addWidget(panel)
    panel.resize(420, 480)
    panel.show()
    return panel


def submit(engine: Engine, out: Path, total: int = 10**6, pause: float = 0.01) -> Job:
    job = Job(Count(total=total, pause=pause), out)
    engine.submit(job)
    return job


def rows(panel: JobsPanel) -> list[Job]:
    shown = panel._view.model()
    return [shown.index(row, 0).data(JOB_ROLE) for row in range(shown.rowCount())]


def row_of(panel: JobsPanel, job: Job) -> QModelIndex:
    return panel._view.model().index(rows(panel).index(job), 0)


def click_row(qtbot: QtBot, panel: JobsPanel, job: Job) -> None:
    place = panel._view.visualRect(row_of(panel, job))
    click(qtbot, panel, place.topLeft() + QPoint(60, 20))


def click_button(qtbot: QtBot, panel: JobsPanel, job: Job, from_right: int = 0) -> None:
    place = panel._view.visualRect(row_of(panel, job))
    click(qtbot, panel, QPoint(place.right() - 22 - 28 * from_right, place.center().y()))


def click(qtbot: QtBot, panel: JobsPanel, point: QPoint) -> None:
    qtbot.mouseClick(panel._view.viewport(), Qt.MouseButton.LeftButton, pos=point)


def test_a_running_job_is_cancelled_from_its_row(qtbot, engine, panel, tmp_path) -> None:
    job = submit(engine, tmp_path)
    with qtbot.waitSignal(job.cancelled):
        qtbot.waitUntil(lambda: job.progress is not None)
        click_button(qtbot, panel, job)
    assert job.state is JobState.CANCELLED


def test_the_queue_is_reordered_and_runs_in_the_new_order(qtbot, engine, panel, tmp_path) -> None:
    first = submit(engine, tmp_path)
    second, third = submit(engine, tmp_path, 2), submit(engine, tmp_path, 2)
    qtbot.waitUntil(lambda: first.state is JobState.RUNNING)
    assert rows(panel) == [first, second, third]
    click_row(qtbot, panel, third)
    qtbot.keyClick(panel._view, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert rows(panel) == [first, third, second]
    assert panel.selected() is third, "the moved job stays selected"
    click_button(qtbot, panel, second, from_right=2)
    assert rows(panel) == [first, second, third]
    ended: list[Job] = []
    for job in (second, third):
        job.finished.connect(lambda job=job: ended.append(job))
    first.cancel()
    qtbot.waitUntil(lambda: len(ended) == 2)
    assert ended == [second, third]


def test_a_failure_says_what_to_do_and_is_retried(qtbot, engine, panel, tmp_path) -> None:
    job = Job(Misbehave(how="bug"), tmp_path)
    with qtbot.waitSignal(job.failed):
        engine.submit(job)
    box = panel._error
    assert not box.isVisible(), "it is said where the work was started; here in the row"
    click_row(qtbot, panel, job)
    qtbot.waitUntil(box.isVisible)
    assert panel.selected() is job
    qtbot.mouseClick(button(box, "Copy details"), Qt.MouseButton.LeftButton)
    copied = QApplication.clipboard().text()
    assert "KeyError" in copied and "Traceback" in copied and "report" in copied
    qtbot.mouseClick(button(box, "Retry"), Qt.MouseButton.LeftButton)
    assert len(engine.jobs) == 2
    again = engine.jobs[-1]
    assert again.task == job.task
    qtbot.waitUntil(lambda: again.state is JobState.FAILED)
    assert rows(panel) == [again, job], "what has ended last comes first"


def button(parent, text: str) -> QPushButton:
    return next(b for b in parent.findChildren(QPushButton) if b.text() == text)


def test_ended_jobs_are_removed_one_or_all(qtbot, engine, panel, tmp_path) -> None:
    jobs = [submit(engine, tmp_path, 1, 0) for _ in range(3)]
    qtbot.waitUntil(lambda: jobs[-1].state.ended)
    click_row(qtbot, panel, jobs[1])
    qtbot.keyClick(panel._view, Qt.Key.Key_Delete)
    assert rows(panel) == [jobs[2], jobs[0]]
    qtbot.mouseClick(button(panel, "Clear ended"), Qt.MouseButton.LeftButton)
    assert engine.jobs == []
    assert not panel._view.isVisible(), "the empty state is back"


def test_keys_do_only_what_the_row_offers(qtbot, engine, panel, tmp_path) -> None:
    job = submit(engine, tmp_path)
    qtbot.waitUntil(lambda: job.state is JobState.RUNNING)
    click_row(qtbot, panel, job)
    qtbot.keyClick(panel._view, Qt.Key.Key_Delete)
    assert engine.jobs == [job]
    qtbot.keyClick(panel._view, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    assert engine.jobs == [job]
    with qtbot.waitSignal(job.cancelled):
        qtbot.keyClick(panel._view, Qt.Key.Key_Escape)


def test_many_jobs_can_be_searched(qtbot, engine, panel, tmp_path) -> None:
    search = panel.findChild(QLineEdit)
    submit(engine, tmp_path)
    assert not search.isVisible()
    for _ in range(SEARCH_FROM):
        submit(engine, tmp_path)
    odd = Job(Misbehave(how="error"), tmp_path)
    engine.submit(odd)
    assert search.isVisible()
    qtbot.keyClicks(search, "MISBE")
    assert rows(panel) == [odd]


def test_a_busy_job_does_not_repaint_more_than_ten_times_a_second(
    qtbot, engine, panel, tmp_path
) -> None:
    for _ in range(200):
        submit(engine, tmp_path)
    changes: list[int] = []
    panel._list.dataChanged.connect(lambda first, last: changes.append(first.row()))
    qtbot.wait(1000)
    assert 2 <= len(changes) <= 11
    assert set(changes) == {0}, "only the row of the job that runs"


def test_order_is_running_then_queue_then_newest_first(tmp_path) -> None:
    states = [
        JobState.FINISHED,
        JobState.QUEUED,
        JobState.RUNNING,
        JobState.FAILED,
        JobState.QUEUED,
    ]
    jobs = [Job(Count(), tmp_path) for _ in states]
    for job, state in zip(jobs, states, strict=True):
        job.state = state
    assert in_order(jobs) == [jobs[2], jobs[1], jobs[4], jobs[3], jobs[0]]


def test_a_row_tells_a_screen_reader_everything(qtbot, engine, panel, tmp_path) -> None:
    job = submit(engine, tmp_path, total=40, pause=0.05)
    qtbot.waitUntil(lambda: job.progress is not None and job.progress.step > 2)
    panel._list.refresh()
    text = row_of(panel, job).data(Qt.ItemDataRole.AccessibleTextRole)
    assert text.startswith("Count: Counting · ") and "/ 40" in text and "left" in text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 s left"), (59, "59 s left"), (61, "2 min left"), (4800, "1 h 20 min left")],
)
def test_time_left_in_words(seconds: float, words: str) -> None:
    assert time_left(seconds) == words


def test_progress_without_a_total_is_only_words(tmp_path) -> None:
    job = Job(Count(), tmp_path)
    job.state = JobState.RUNNING
    job._deliver(Progress(3, None, "loading the model"))
    from studio.panels.job_list import state_words

    assert state_words(job) == "Loading the model"
