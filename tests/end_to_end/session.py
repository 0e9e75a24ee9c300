"""A person's first session in the real window: fetch, write, draw, train, scrub, close.

    python session.py PICTURES      (on the display and in the ATELIER_HOME of the environment)

Exit code 0 when everything went as it should; test_window.py runs it on a virtual screen.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QMessageBox,
    QPlainTextEdit,
    QPushButton,
    QTextEdit,
    QWidget,
)
from robot import Robot

from engine import device, folders, packs
from engine.gate.images import open_image
from engine.metadata import read_task
from engine.runs import RunFolder, list_runs
from engine.worker import JobState
from studio.app import Studio
from studio.canvas.view import CanvasView
from studio.panels.log_records import LogHandler

PATIENCE = 240.0  # seconds for whatever a model does on a busy machine


def write(robot: Robot) -> None:
    """The starter pack is fetched with one click; then the model writes on the page."""
    robot.click(robot.find(QAbstractButton, "Write"))
    if not packs.installed(packs.PACKS[0]):
        robot.photograph("write-first-day")
        robot.click(robot.find(QAbstractButton, f"Fetch {packs.PACKS[0].size / 1e6:.0f} MB"))
        robot.wait("the starter pack", lambda: packs.installed(packs.PACKS[0]), PATIENCE)
        robot.rest(1)
    page = robot.find(QTextEdit, "Your text")
    robot.click(robot.find(QPlainTextEdit, "Prompt"))
    robot.type("Write two sentences about the sea.")
    robot.press("ctrl+Return")
    robot.wait("the first words", lambda: len(page.toPlainText()) > 20, PATIENCE)
    robot.photograph("write-streaming")
    robot.wait("the text file", lambda: bool(list(folders.outputs().glob("*.txt"))), PATIENCE)
    robot.photograph("write")
    robot.press("alt+Return")
    assert len(page.toPlainText().split()) > 10, page.toPlainText()


def draw(robot: Robot) -> None:
    """A prompt typed, a button clicked, a picture in the strip and on disk."""
    robot.click(robot.find(QAbstractButton, "Create"))
    robot.photograph("create-first-day")
    robot.click(robot.find(QPlainTextEdit, "Prompt"))
    robot.type("red heart")
    robot.click(robot.find(QAbstractButton, "Generate"))

    def pictures() -> list[Path]:
        return list(folders.outputs().glob("*.png"))

    robot.wait("a picture", lambda: bool(pictures()), PATIENCE)
    robot.rest(1)
    robot.photograph("create")
    record = read_task(pictures()[0])
    assert record is not None
    assert record.values["prompt"] == "red heart"
    assert open_image(pictures()[0]).width >= 64


def survive_a_crash(robot: Robot, studio: Studio) -> None:
    """The model process is killed while it draws: the window says so, and Retry draws."""
    before = len(list(folders.outputs().glob("*.png")))
    canvas = robot.find(CanvasView, "Canvas")
    shown = canvas.staged
    robot.click(robot.find(QAbstractButton, "Generate"))
    robot.wait("a preview", lambda: canvas.staged not in (None, shown), PATIENCE)
    process = studio.make._process
    assert process is not None
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    robot.wait("the failure", lambda: studio.make.jobs[-1].state is JobState.FAILED, 30)
    robot.photograph("create-after-a-crash")
    robot.click(robot.find(QPushButton, "Retry"))
    robot.wait(
        "another picture", lambda: len(list(folders.outputs().glob("*.png"))) > before, PATIENCE
    )


def train(robot: Robot) -> RunFolder:
    """One click starts the GAN; the keyboard pauses, resumes and scrubs."""
    robot.click(robot.find(QAbstractButton, "Train"))
    robot.photograph("train-first-day")
    robot.click(robot.find(QAbstractButton, "Start"))
    robot.wait("a run", lambda: bool(list_runs(folders.runs())), PATIENCE)
    run = list_runs(folders.runs())[0]
    robot.wait("samples", lambda: len(run.samples()) > 2, PATIENCE)
    robot.press("ctrl+p")
    robot.wait("the pause", lambda: _state(run) == "paused", 30)
    robot.photograph("train-paused")
    before = len(run.samples())
    robot.press("ctrl+p")
    robot.wait("more samples", lambda: len(run.samples()) > before, PATIENCE)
    robot.click(robot.find(QWidget, "Timeline"))
    robot.press("Home")
    robot.photograph("train-scrubbed-to-the-start")
    robot.click(robot.find(QAbstractButton, "Live"))
    robot.photograph("train")
    return run


def close(robot: Robot) -> None:
    """Closing asks once, because the training still runs."""

    def answer() -> None:
        question = robot.find(QMessageBox, "confirm_close")
        robot.photograph("close")
        robot.click(robot.find(QAbstractButton, "Stop and close"))
        assert not question.isVisible()

    QTimer.singleShot(1000, answer)
    robot.press("ctrl+q")
    robot.wait("the window to close", lambda: not robot.window.isVisible(), 30)


def _state(run: RunFolder) -> str:
    heartbeat = run.heartbeat()
    return heartbeat.state if heartbeat else ""


def main() -> int:
    device.prepare_environment()
    app = QApplication(sys.argv)
    app.setQuitOnLastWindowClosed(False)
    studio = Studio(app, LogHandler())
    studio.window.showMaximized()
    robot = Robot(studio.window, Path(sys.argv[1]))
    robot.rest(2)
    write(robot)
    draw(robot)
    survive_a_crash(robot, studio)
    run = train(robot)
    close(robot)
    began = time.monotonic()
    studio.close()
    assert time.monotonic() - began < 5, "closing took too long"
    assert run.checkpoints(), "stopping keeps what was learned"
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
