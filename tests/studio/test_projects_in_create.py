"""Projects as Create has them: what one looked at comes back; no project chooses what is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from drawing_task import Paint
from PIL import Image
from PySide6.QtCore import QPointF, QRect
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot
from repainting_task import Repaint

from engine import folders
from engine.projects.contents import Contents, LayerEntry, Picture
from engine.projects.pixels import digest, encode_layer
from engine.projects.project_file import Project, write_project
from engine.worker import Engine
from studio.canvas.layer import Layer
from studio.requests import Meaning
from studio.settings import Settings
from studio.workspaces.create import CreateWorkspace

TASKS = {Meaning.CREATE: Paint} | dict.fromkeys(
    (Meaning.REFINE, Meaning.FILL, Meaning.EXTEND), Repaint
)


@pytest.fixture
def start(qtbot: QtBot, engine: Engine) -> Iterator[Callable[[], CreateWorkspace]]:
    started: list[CreateWorkspace] = []

    def begin() -> CreateWorkspace:
        workspace = CreateWorkspace(engine, Settings(), TASKS)
        qtbot.addWidget(workspace)
        workspace.resize(1100, 700)
        workspace.show()
        started.append(workspace)
        qtbot.waitUntil(lambda: not workspace.sessions.projects._restoring)
        return workspace

    yield begin
    for workspace in started:
        workspace.close()


def paint(workspace: CreateWorkspace) -> None:
    document = workspace.document
    layer = document.add_layer(Layer("Paper"))
    rect = QRect(10, 20, 200, 100)
    with document.edit(layer, "Fill") as edit, edit.paint(rect) as painter:
        painter.fillRect(rect, QColor("teal"))


def test_what_was_looked_at_comes_back(qtbot: QtBot, start: Callable[[], CreateWorkspace]) -> None:
    workspace = start()
    paint(workspace)
    view = workspace.easel.canvas
    view.actual_size()
    view.zoom_by(3)
    view.pan(QPointF(40, -25))
    before, place = workspace.document.composite(), view.viewport.place()
    workspace.easel.prompt.replace("a fox at sea")
    assert workspace.windowTitle() == "• Untitled"
    workspace.close()
    again = start()
    qtbot.waitUntil(lambda: not again.document.is_empty)
    assert again.document.composite() == before
    assert again.easel.canvas.viewport.place() == pytest.approx(place)
    assert again.easel.prompt.toPlainText() == "a fox at sea"
    again.easel.canvas.fit()
    again.close()
    assert start().easel.canvas.viewport.place() == {}


def test_words_typed_after_the_last_autosave_are_found_again(
    qtbot: QtBot, start: Callable[[], CreateWorkspace]
) -> None:
    workspace = start()
    paint(workspace)
    workspace.easel.prompt.replace("a fox")
    workspace.close()
    workspace = start()  # what it shows now is on the disk, and nothing is waiting to be written
    qtbot.waitUntil(lambda: not workspace.sessions.projects._autosaving._settle.isActive())
    workspace.easel.prompt.replace("a fox at sea")
    workspace.easel.negative_prompt.replace("a boat")
    workspace.easel.strength.set_value(0.4)
    workspace.close()
    again = start()
    qtbot.waitUntil(lambda: not again.document.is_empty)
    assert again.easel.prompt.toPlainText() == "a fox at sea"
    assert again.easel.negative_prompt.toPlainText() == "a boat"
    assert again.easel.strength.value() == pytest.approx(0.4)


def test_a_project_is_opened_with_its_settings(
    qtbot: QtBot, start: Callable[[], CreateWorkspace], tmp_path: Path
) -> None:
    workspace = start()
    paint(workspace)
    workspace.easel.prompt.replace("a fox at sea")
    path = tmp_path / "fox.atelier"
    workspace.sessions.projects.save_to(path)
    qtbot.waitUntil(lambda: workspace.windowTitle() == "fox")
    before = workspace.document.composite()
    workspace.sessions.projects.new()
    workspace.easel.prompt.replace("")
    workspace.open_file(path)
    qtbot.waitUntil(lambda: not workspace.document.is_empty)
    assert workspace.document.composite() == before
    assert workspace.easel.prompt.toPlainText() == "a fox at sea"
    assert workspace.windowTitle() == "fox"
    assert not workspace.undo_stack.canUndo()


def test_a_project_from_outside_does_not_choose_which_pictures_are_read(
    qtbot: QtBot, start: Callable[[], CreateWorkspace], tmp_path: Path
) -> None:
    secret = tmp_path / "secret.png"
    Image.new("RGB", (8, 8), "red").save(secret)
    own = folders.outputs() / "own.png"
    own.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), "blue").save(own)
    sneaky = own.parent / ".." / ".." / tmp_path.name / "secret.png"
    staged = [
        {"path": str(path), "rect": [0, 0, 0, 0], "name": ""} for path in (secret, sneaky, own)
    ]
    odd = [None, 5, {"path": 7}, {"path": str(own), "rect": ["a", 0, 0, 0]}]
    path = tmp_path / "evil.atelier"

    pixels = np.full((4, 4, 4), 255, np.uint8)
    picture = Picture(0, 0, digest(pixels), lambda: encode_layer(pixels))
    contents = Contents(
        8,
        8,
        (LayerEntry("a", "<b>"),),
        "a",
        settings={"prompt": ["no", "text"], "steps": "many", "model": "/etc/passwd"},
        view={"staged": [*staged, *odd], "shown": "x", "place": {"zoom": "big"}},
    )
    write_project(path, Project(contents, {"a": [picture]}))
    workspace = start()
    workspace.open_file(path)
    qtbot.waitUntil(lambda: workspace.staging.count > 0)
    assert [one.path for one in workspace.staging.state()[0]] == [own]
    assert workspace.document.layers[0].name == "<b>"


@pytest.mark.parametrize("name", ["broken.atelier", "broken.png"])
def test_what_cannot_be_opened_takes_an_older_remark_away(
    qtbot: QtBot, start: Callable[[], CreateWorkspace], tmp_path: Path, name: str
) -> None:
    workspace = start()
    easel = workspace.easel
    paint(workspace)
    workspace.sessions.projects.save_to(tmp_path / "fox.atelier")
    qtbot.waitUntil(lambda: "Saved as" in easel.remark.text)
    (tmp_path / name).write_bytes(b"neither")
    workspace.open_file(tmp_path / name)
    qtbot.waitUntil(easel.errors.isVisible)
    assert not easel.remark.isVisible()
    assert workspace.windowTitle() == "fox", "what was open still is"


@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_of_an_animation_it_is_said_that_one_picture_is_shown(
    qtbot: QtBot, start: Callable[[], CreateWorkspace], tmp_path: Path, suffix: str
) -> None:
    workspace, path = start(), tmp_path / f"moving{suffix}"
    frames = [Image.new("RGB", (16, 16), color) for color in ("red", "green", "blue")]
    frames[0].save(path, save_all=True, append_images=frames[1:], lossless=True)
    workspace.open_file(path)
    remark = workspace.easel.remark
    qtbot.waitUntil(remark.isVisible)
    assert f"moving{suffix}" in remark.text and "first of its 3" in remark.text
    assert workspace.document.composite().pixelColor(8, 8) == QColor("red")
    frames[0].save(path)
    workspace.open_file(path)
    qtbot.waitUntil(lambda: not remark.isVisible())
