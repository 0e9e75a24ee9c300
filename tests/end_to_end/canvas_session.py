"""A person's work on the canvas in the real window, ended by a kill, and gone on with.

    python canvas_session.py first PICTURES     draws, fills, accepts, undoes, saves, is killed
    python canvas_session.py second PICTURES    finds everything again

On the display and in the ATELIER_HOME of the environment; test_canvas.py runs both.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from PySide6.QtCore import QPoint, QPointF, QTimer
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QAbstractButton, QApplication, QFileDialog, QPlainTextEdit
from robot import Robot

from engine import device, folders
from engine.projects.project_file import read_project
from studio.app import Studio
from studio.canvas.document import Document
from studio.canvas.layer import LayerKind
from studio.canvas.view import CanvasView
from studio.panels.log_records import LogHandler
from studio.workspaces.create import CreateWorkspace

PATIENCE = 300.0  # seconds for whatever a model does on a busy machine
PROJECT = "rocket"
LEFT_BEHIND = "left-behind.png"


class Canvas:
    """The canvas of the window, by places in pixels of the document."""

    def __init__(self, robot: Robot) -> None:
        self._robot = robot
        self.view = robot.find(CanvasView, "Canvas")

    @property
    def document(self) -> Document:
        return self.view.document

    @property
    def picture(self) -> QImage:
        return self.document.composite()

    def at(self, x: float, y: float) -> QPoint:
        return self.view.from_document(QPointF(x, y)).toPoint()

    def take(self, tool: str) -> None:
        self._robot.click(self._robot.find(QAbstractButton, tool))

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        self._robot.drag(self.view, self.at(*start), self.at(*end))

    def wait_for_a_result(self) -> None:
        shown = self.view.staged
        bar = self._robot.window.findChild(CreateWorkspace).easel.stage.staging_bar
        self._robot.wait(
            "a result to decide on",
            lambda: self.view.staged not in (None, shown) and bar.isVisible(),
            PATIENCE,
        )


def draw(robot: Robot) -> Canvas:
    """A picture from words; it waits over an empty canvas."""
    robot.click(robot.find(QPlainTextEdit, "Prompt"))
    robot.type("3d rocket")
    robot.click(robot.find(QAbstractButton, "Generate"))
    robot.wait("the first result", lambda: bool(list(folders.outputs().glob("*.png"))), PATIENCE)
    robot.rest(1)
    canvas = Canvas(robot)
    assert canvas.view.staged is not None
    assert canvas.document.is_empty
    return canvas


def fill(robot: Robot, canvas: Canvas) -> None:
    """A mask painted with the mouse, drawn anew within, accepted with Enter."""
    canvas.take("Mask brush")
    canvas.drag((40, 40), (70, 55))
    assert not canvas.document.is_empty, "what is worked on is accepted"
    assert not canvas.document.selection.is_empty
    robot.photograph("canvas-mask")
    before = canvas.picture
    robot.wait("the button", lambda: _says(robot, "Fill"), 10)
    robot.click(robot.find(QPlainTextEdit, "Prompt"))
    robot.press("ctrl+a")
    robot.type("red heart")
    robot.click(robot.find(QAbstractButton, "generate"))
    canvas.wait_for_a_result()
    robot.photograph("canvas-fill")
    assert canvas.picture == before, "nothing below a result is touched"
    canvas.take("Hand")
    robot.click(canvas.view, canvas.at(5, 5))
    robot.press("Return")
    robot.wait("a second layer", lambda: len(canvas.document.layers) == 2, 10)
    after = canvas.picture
    assert after != before
    assert after.pixelColor(120, 120) == before.pixelColor(120, 120), (
        "outside the mask it is as was"
    )
    robot.press("ctrl+z")
    robot.wait("the undo", lambda: canvas.picture == before, 10)
    assert canvas.view.staged is not None, "it waits for a decision again"
    robot.press("ctrl+shift+z")
    robot.wait("the redo", lambda: canvas.picture == after, 10)


def save(robot: Robot, canvas: Canvas) -> None:
    path = folders.home() / f"{PROJECT}.atelier"

    def answer() -> None:
        robot.wait("the dialog", lambda: bool(robot.window.findChildren(QFileDialog)), 20)
        robot.press("ctrl+a")
        robot.type(str(path))
        robot.press("Return")

    QTimer.singleShot(1000, answer)
    robot.press("ctrl+s")
    robot.wait("the project", path.exists, 30)
    robot.wait("its name", lambda: PROJECT in robot.window.windowTitle(), 30)
    assert len(read_project(path).contents.layers) == len(canvas.document.layers)


def paint(robot: Robot, canvas: Canvas) -> None:
    """A stroke within the mask, after saving: only the autosave has it."""
    before = canvas.picture
    canvas.take("Brush")
    canvas.drag((45, 42), (60, 48))
    robot.wait("the stroke", lambda: canvas.picture != before, 10)
    state = folders.home() / "canvas" / "current" / "state.json"
    saved = state.stat().st_mtime_ns
    robot.wait("the autosave", lambda: state.stat().st_mtime_ns != saved, 30)
    robot.rest(1)
    robot.photograph("canvas-before-the-kill")


def find_again(robot: Robot, pictures: Path) -> None:
    """As it was when the studio was killed."""
    robot.wait("the canvas", lambda: _document(robot).size.width() == 128, 60)
    robot.rest(1)
    canvas = Canvas(robot)
    kept = QImage(str(pictures / LEFT_BEHIND)).convertToFormat(canvas.picture.format())
    assert canvas.picture == kept
    kinds = [layer.kind for layer in canvas.document.layers]
    assert kinds == [LayerKind.GENERATED, LayerKind.GENERATED]
    assert all(layer.record is not None for layer in canvas.document.layers)
    assert not canvas.document.selection.is_empty
    assert robot.find(QPlainTextEdit, "Prompt").toPlainText() == "red heart"
    assert PROJECT in robot.window.windowTitle()
    assert "•" in robot.window.windowTitle(), "the stroke is in no file yet"
    robot.photograph("canvas-found-again")


def _says(robot: Robot, text: str) -> bool:
    return robot.find(QAbstractButton, "generate").text() == text


def _document(robot: Robot) -> Document:
    workspace = robot.window.findChild(CreateWorkspace)
    assert isinstance(workspace, CreateWorkspace)
    return workspace.document


def main() -> int:
    device.prepare_environment()
    app = QApplication(sys.argv)
    app.setQuitOnLastWindowClosed(False)
    pictures = Path(sys.argv[2])
    studio = Studio(app, LogHandler())
    studio.window.showMaximized()
    robot = Robot(studio.window, pictures)
    robot.rest(2)
    if sys.argv[1] == "first":
        canvas = draw(robot)
        fill(robot, canvas)
        save(robot, canvas)
        paint(robot, canvas)
        assert canvas.picture.save(str(pictures / LEFT_BEHIND))
        os.kill(os.getpid(), signal.SIGKILL)
    find_again(robot, pictures)
    studio.window.close()
    studio.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
