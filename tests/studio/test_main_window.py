"""The frame: workspaces, palette, layout, closing while something runs."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QDockWidget,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPlainTextEdit,
)
from pytestqt.qtbot import QtBot
from small_tasks import Count

from engine.worker import Job, JobState
from studio.app import Studio
from studio.main_window import DOCK_HEIGHT
from studio.panels.log_records import LogHandler
from studio.settings import THEME


@pytest.fixture
def studio(qtbot: QtBot, qapp: QApplication) -> Iterator[Studio]:
    studio = Studio(qapp, LogHandler())
    studio.window.show()
    qtbot.waitUntil(lambda: studio.window.findChild(QDockWidget, "jobs") is not None)
    yield studio
    for engine in (studio.make, studio.train):
        for job in engine.jobs:
            job.cancel()
    qtbot.waitUntil(lambda: not (studio.make.busy or studio.train.busy), timeout=20_000)
    studio.window.close()
    studio.close()


def dock(studio: Studio, name: str) -> QDockWidget:
    found = studio.window.findChild(QDockWidget, name)
    assert isinstance(found, QDockWidget)
    return found


@pytest.mark.parametrize(
    ("key", "title"), [("1", "Write"), ("2", "Chat"), ("3", "Create"), ("4", "Train")]
)
def test_each_workspace_is_a_key_away(qtbot: QtBot, studio: Studio, key: str, title: str) -> None:
    qtbot.waitExposed(studio.window)
    studio.window.activateWindow()
    QTest.keyClick(studio.window, Qt.Key(ord(key)), Qt.KeyboardModifier.ControlModifier)
    assert studio.window.windowTitle() == f"{title} — Atelier"
    assert studio.window.centralWidget().currentWidget().isVisible()  # type: ignore[attr-defined]


def test_each_workspace_keeps_its_commands_and_its_menu(qtbot: QtBot, studio: Studio) -> None:
    for _ in range(2):
        for title in ("Write", "Create", "Train"):
            workspace = studio.window.open_workspace(title.lower())
            gc.collect()
            assert len(studio.window.workspace_actions(workspace)) > 5
            menus = [a for a in studio.window.menuBar().actions() if a.isVisible()]
            assert [a.text().replace("&", "") for a in menus] == ["File", title, "View", "Help"]
            assert len(menus[1].menu().actions()) > 5  # type: ignore[attr-defined]


def test_the_palette_finds_and_runs_a_command(qtbot: QtBot, studio: Studio) -> None:
    studio.window.show_palette()
    search = next(
        w for w in studio.window.findChildren(QLineEdit) if w.accessibleName() == "Search commands"
    )
    QTest.keyClicks(search, "train")
    QTest.keyClick(search, Qt.Key.Key_Return)
    assert studio.window.windowTitle().startswith("Train")


def test_what_is_written_can_be_drawn(qtbot: QtBot, studio: Studio) -> None:
    write = studio.window.open_workspace("write")
    write.draw_requested.emit("a red heart")  # type: ignore[attr-defined]
    assert studio.window.windowTitle().startswith("Create")
    [job] = studio.make.jobs
    assert job.task.to_dict()["prompt"] == "a red heart"


def test_docks_come_back_where_they_were_left(qtbot: QtBot, qapp: QApplication) -> None:
    first = Studio(qapp, LogHandler())
    first.window.show()
    qtbot.waitUntil(lambda: first.window.findChild(QDockWidget, "jobs") is not None)
    right = Qt.DockWidgetArea.RightDockWidgetArea
    first.window.addDockWidget(right, dock(first, "jobs"))
    create = first.window.open_workspace("create")
    prompt = create.findChild(QPlainTextEdit, "prompt")
    assert isinstance(prompt, QPlainTextEdit)
    QTest.keyClicks(prompt, "a fox")
    first.window.close()
    first.close()

    second = Studio(qapp, LogHandler())
    second.window.show()
    qtbot.waitUntil(lambda: second.window.findChild(QDockWidget, "jobs") is not None)
    assert second.window.dockWidgetArea(dock(second, "jobs")) == right
    again = second.window.open_workspace("create").findChild(QPlainTextEdit, "prompt")
    assert isinstance(again, QPlainTextEdit)
    assert again.toPlainText() == "a fox"
    second.window.reset_layout()
    bottom = Qt.DockWidgetArea.BottomDockWidgetArea
    assert second.window.dockWidgetArea(dock(second, "jobs")) == bottom
    second.window.close()
    second.close()


def test_an_empty_jobs_panel_takes_one_line_until_a_job_comes(
    qtbot: QtBot, studio: Studio, tmp_path: Path
) -> None:
    jobs, log = dock(studio, "jobs"), dock(studio, "log")
    line = jobs.fontMetrics().height() * 2.5
    qtbot.waitUntil(lambda: jobs.height() < line)
    job = submit(studio, tmp_path)
    qtbot.waitUntil(lambda: abs(jobs.height() - DOCK_HEIGHT) < 4)
    studio.window.resizeDocks([jobs], [DOCK_HEIGHT + 60], Qt.Orientation.Vertical)
    qtbot.waitUntil(lambda: jobs.height() == DOCK_HEIGHT + 60)
    more = submit(studio, tmp_path)
    qtbot.wait(50)
    assert jobs.height() == DOCK_HEIGHT + 60, "what the person has chosen stays"
    end(qtbot, studio, job, more)
    qtbot.waitUntil(lambda: jobs.height() < line)
    last = submit(studio, tmp_path)
    qtbot.waitUntil(lambda: jobs.height() == DOCK_HEIGHT + 60)
    end(qtbot, studio, last)
    log.show()
    qtbot.waitUntil(lambda: log.height() > 2 * line, timeout=2000)
    log.hide()
    qtbot.waitUntil(lambda: jobs.height() < line)


def test_the_jobs_panel_is_as_high_as_the_last_time(
    qtbot: QtBot, qapp: QApplication, tmp_path: Path
) -> None:
    for asked, height in ((250, DOCK_HEIGHT), (0, 250)):
        studio = Studio(qapp, LogHandler())
        studio.window.show()
        qtbot.waitUntil(lambda studio=studio: bool(studio.window.findChild(QDockWidget, "jobs")))
        job, jobs = submit(studio, tmp_path), dock(studio, "jobs")
        qtbot.waitUntil(lambda jobs=jobs, height=height: abs(jobs.height() - height) < 4)
        job.cancel()
        qtbot.waitUntil(lambda job=job: job.state.ended, timeout=20_000)
        if asked:
            studio.window.resizeDocks([jobs], [asked], Qt.Orientation.Vertical)
            qtbot.waitUntil(lambda jobs=jobs, asked=asked: jobs.height() == asked)
        studio.window.close()
        studio.close()


def test_at_a_side_or_alone_the_jobs_panel_keeps_its_size(qtbot: QtBot, studio: Studio) -> None:
    jobs = dock(studio, "jobs")
    studio.window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, jobs)
    qtbot.waitUntil(lambda: jobs.height() > 300)
    studio.window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, jobs)
    qtbot.waitUntil(lambda: jobs.height() < 60)
    jobs.setFloating(True)
    qtbot.waitUntil(lambda: jobs.height() > 100)


def submit(studio: Studio, out: Path) -> Job:
    job = Job(Count(total=10_000, pause=0.01), out)
    studio.make.submit(job)
    return job


def end(qtbot: QtBot, studio: Studio, *jobs: Job) -> None:
    for job in jobs:
        job.cancel()
    qtbot.waitUntil(lambda: all(job.state.ended for job in jobs), timeout=20_000)
    for job in jobs:
        studio.make.remove(job)


@pytest.mark.parametrize(("answer", "closes"), [("Keep working", False), ("Stop and close", True)])
def test_closing_while_something_runs_asks_once(
    qtbot: QtBot, studio: Studio, tmp_path: Path, answer: str, closes: bool
) -> None:
    job = Job(Count(total=10_000, pause=0.01), tmp_path)
    studio.make.submit(job)
    qtbot.waitUntil(lambda: job.state is JobState.RUNNING, timeout=20_000)
    asked: list[str] = []

    def press() -> None:
        for box in studio.window.findChildren(QMessageBox):
            asked.append(box.text())
            next(b for b in box.findChildren(QAbstractButton) if b.text() == answer).click()

    QTimer.singleShot(300, press)
    studio.window.close()
    assert len(asked) == 1
    assert studio.window.isVisible() is not closes


def test_training_waits_while_something_is_made(
    qtbot: QtBot, studio: Studio, tmp_path: Path
) -> None:
    training = Job(Count(total=10_000, pause=0.01), tmp_path)
    studio.train.submit(training)
    qtbot.waitUntil(lambda: training.state is JobState.RUNNING, timeout=20_000)
    drawing = Job(Count(total=30, pause=0.02), tmp_path)
    studio.make.submit(drawing)
    qtbot.waitUntil(lambda: training.state is JobState.PARKED, timeout=20_000)
    qtbot.waitUntil(lambda: drawing.state is JobState.FINISHED, timeout=20_000)
    qtbot.waitUntil(lambda: training.state is JobState.RUNNING, timeout=20_000)


def test_a_theme_takes_effect_at_once(qtbot: QtBot, studio: Studio) -> None:
    studio.settings.set_value(THEME, "dark")
    dark = studio.window.palette().window().color().lightness()
    studio.settings.set_value(THEME, "light")
    light = studio.window.palette().window().color().lightness()
    assert dark < 64 < 192 < light


def test_the_status_bar_counts_what_is_being_made(
    qtbot: QtBot, studio: Studio, tmp_path: Path
) -> None:
    assert shown_in(studio) == "Ready"
    for _ in range(2):
        studio.make.submit(Job(Count(total=10_000, pause=0.01), tmp_path))
    assert shown_in(studio) == "Count ×2"


def shown_in(studio: Studio) -> str:
    return studio.window.statusBar().findChildren(QLabel)[0].text()


def test_a_file_dropped_on_the_window_is_opened_in_create(
    qtbot: QtBot, studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []
    create = studio.window.open_workspace("create")
    monkeypatch.setattr(create, "open_file", opened.append)
    studio.window.open_workspace("write")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "fox.atelier"))])
    where, copy = QPointF(5, 5), Qt.DropAction.CopyAction
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    for kind in (QDragEnterEvent, QDragMoveEvent):
        event = kind(where.toPoint(), copy, data, buttons, keys)
        QApplication.sendEvent(studio.window, event)
        assert event.isAccepted()
    assert opened == []
    QApplication.sendEvent(studio.window, QDropEvent(where, copy, data, buttons, keys))
    assert opened == [tmp_path / "fox.atelier"]
    assert studio.window.windowTitle() == "Create — Atelier"


def test_the_title_says_what_is_open(qtbot: QtBot, studio: Studio) -> None:
    write = studio.window.open_workspace("write")
    create = studio.window.open_workspace("create")
    create.setWindowTitle("• fox")
    assert studio.window.windowTitle() == "• fox — Create — Atelier"
    write.setWindowTitle("not in sight")
    assert studio.window.windowTitle() == "• fox — Create — Atelier"
