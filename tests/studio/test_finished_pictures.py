"""Stickers, enlarging, exporting and sheets in Create, with mouse and keyboard on a real engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from drawing_task import Paint
from PIL import Image, ImageDraw
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QAction, QColor, QGuiApplication, QImage
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QLabel,
    QPushButton,
    QSpinBox,
    QToolButton,
)
from pytestqt.qtbot import QtBot

from engine import folders, metadata
from engine.gate.images import open_image
from engine.generators.text_to_image import TextToImage
from engine.worker import Engine, JobState
from studio.canvas.layer import Layer
from studio.requests import Meaning
from studio.settings import Settings
from studio.widgets.results_strip import IMAGE_ROLE
from studio.workspaces.create import CreateWorkspace

CONTROL = Qt.KeyboardModifier.ControlModifier
TASKS = dict.fromkeys(Meaning, Paint)
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def workspace(qtbot: QtBot, engine: Engine) -> Iterator[CreateWorkspace]:
    workspace = CreateWorkspace(engine, Settings(), TASKS)
    qtbot.addWidget(workspace)
    workspace.resize(1100, 700)
    with qtbot.waitActive(workspace):
        workspace.show()
        workspace.activateWindow()
    yield workspace
    workspace.close()


@pytest.fixture
def drawings(qtbot: QtBot, workspace: CreateWorkspace, tmp_path: Path) -> list[Path]:
    """Three pictures in the strip; the last is on the canvas."""
    paths = []
    for number, color in enumerate(("red", "green", "blue")):
        image = Image.new("RGB", (32, 32), "white")
        ImageDraw.Draw(image).ellipse((6, 6, 26, 26), fill=color)
        path = tmp_path / f"{color}.png"
        metadata.write_png(path, image, Paint(prompt=f"{color} disc", seed=number))
        workspace.open_file(path)
        qtbot.waitUntil(lambda path=path: showing(workspace) == path)
        paths.append(path)
    return paths


def showing(workspace: CreateWorkspace) -> Path | None:
    """The file of what is on the canvas."""
    return None if workspace.staging.is_preview else workspace.opening.path


def marked(workspace: CreateWorkspace) -> list[Path]:
    """The pictures that a command would be for."""
    found: list[Path] = []
    workspace.finished.with_pictures(found.extend)
    return found


def words(workspace: CreateWorkspace) -> str:
    return "\n".join(label.text() for label in workspace.findChildren(QLabel) if label.isVisible())


def button(workspace: CreateWorkspace, text: str) -> QPushButton | QToolButton:
    buttons = workspace.findChildren(QPushButton) + workspace.findChildren(QToolButton)
    shown = [b for b in buttons if b.isVisible() and text in (b.text(), b.accessibleName())]
    assert len(shown) == 1, [b.text() for b in buttons if b.isVisible()]
    return shown[0]


def press(qtbot: QtBot, workspace: CreateWorkspace, text: str) -> None:
    qtbot.mouseClick(button(workspace, text), LEFT)


def click(qtbot: QtBot, workspace: CreateWorkspace, row: int, *, also: bool = False) -> None:
    """Click a thumbnail, with Ctrl where it is to be marked as well."""
    strip = workspace.easel.strip
    place = strip.visualItemRect(strip.item(row)).center()
    modifier = CONTROL if also else Qt.KeyboardModifier.NoModifier
    qtbot.mouseClick(strip.viewport(), LEFT, modifier, place)


def wait_until_made(qtbot: QtBot, engine: Engine, workspace: CreateWorkspace, count: int) -> None:
    qtbot.waitUntil(lambda: not engine.busy, timeout=60_000)
    qtbot.waitUntil(lambda: workspace.easel.strip.count() == count, timeout=20_000)


def shown(control: type, workspace: CreateWorkspace, name: str):  # type: ignore[no-untyped-def]
    [found] = [w for w in workspace.findChildren(control) if w.accessibleName() == name]
    return found


def test_a_sticker_of_the_picture_on_the_canvas_appears_on_a_checkerboard(
    qtbot, engine, workspace, drawings
) -> None:
    before = drawings[-1].read_bytes()
    press(qtbot, workspace, "Make sticker")
    wait_until_made(qtbot, engine, workspace, 4)
    qtbot.waitUntil(lambda: showing(workspace) not in (None, *drawings), timeout=20_000)
    assert showing(workspace).parent == folders.outputs()
    assert workspace.staging.image.width() == 128
    assert workspace.staging.image.hasAlphaChannel()
    assert drawings[-1].read_bytes() == before
    strip = workspace.easel.strip
    qtbot.waitUntil(lambda: isinstance(strip.item(0).data(IMAGE_ROLE), QImage))
    assert strip.item(0).data(IMAGE_ROLE).hasAlphaChannel()
    cell = strip.visualItemRect(strip.item(0))
    grabbed = strip.viewport().grab(cell).toImage()
    corner = {grabbed.pixelColor(x, y).name() for x in range(8, 20) for y in range(8, 20)}
    assert len(corner) > 1, "the squares of the checkerboard"


def test_all_marked_pictures_are_enlarged_and_no_other(qtbot, engine, workspace, drawings) -> None:
    click(qtbot, workspace, 2)
    qtbot.waitUntil(lambda: showing(workspace) == drawings[0])
    click(qtbot, workspace, 0, also=True)
    qtbot.waitUntil(lambda: showing(workspace) == drawings[2])
    assert marked(workspace) == [drawings[0], drawings[2]]
    press(qtbot, workspace, "Enlarge ×4")
    assert [Path(job.task.image).name for job in engine.jobs] == ["red.png", "blue.png"]
    wait_until_made(qtbot, engine, workspace, 5)
    assert [open_image(job.saved[0]).size for job in engine.jobs] == [(128, 128)] * 2


@pytest.mark.parametrize(
    ("key", "task"), [(Qt.Key.Key_M, "make_sticker"), (Qt.Key.Key_U, "upscale")]
)
def test_the_keyboard_does_it_too(qtbot, engine, workspace, drawings, key, task) -> None:
    workspace.easel.canvas.setFocus()
    qtbot.keyClick(workspace.easel.canvas, key, CONTROL | Qt.KeyboardModifier.ShiftModifier)
    assert [job.task.name() for job in engine.jobs] == [task]
    wait_until_made(qtbot, engine, workspace, 4)


def test_the_context_menu_offers_it_and_leaves_the_marks(qtbot, workspace, drawings) -> None:
    click(qtbot, workspace, 2)
    click(qtbot, workspace, 1, also=True)
    strip = workspace.easel.strip
    menu = strip.menu_at(strip.visualItemRect(strip.item(1)).center())
    offered = [action.text() for action in menu.actions()]
    assert offered[:3] == ["Make sticker", "Enlarge ×4", "Export…"]
    assert marked(workspace) == drawings[:2]
    strip.menu_at(strip.visualItemRect(strip.item(0)).center())
    assert marked(workspace) == drawings[2:], "another one is marked first"


def test_stopping_ends_it_and_leaves_no_file(qtbot, engine, workspace, drawings) -> None:
    press(qtbot, workspace, "Make sticker")
    qtbot.keyClick(workspace.easel.prompt, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: engine.jobs[0].state.ended, timeout=60_000)
    assert engine.jobs[0].state in (JobState.CANCELLED, JobState.FINISHED)
    if engine.jobs[0].state is JobState.CANCELLED:
        assert not list(folders.outputs().glob("*.png"))


def test_a_picture_that_has_gone_is_said_and_can_be_tried_again(
    qtbot, engine, workspace, drawings
) -> None:
    kept = drawings[-1].read_bytes()
    drawings[-1].unlink()
    click(qtbot, workspace, 0)
    press(qtbot, workspace, "Make sticker")
    qtbot.waitUntil(lambda: [job.state for job in engine.jobs] == [JobState.FAILED], timeout=60_000)
    assert "There is no picture" in words(workspace)
    drawings[-1].write_bytes(kept)
    press(qtbot, workspace, "Retry")
    wait_until_made(qtbot, engine, workspace, 4)


def test_what_is_on_the_canvas_needs_no_file(qtbot, engine, workspace, drawings) -> None:
    drawings[-1].unlink()
    press(qtbot, workspace, "Make sticker")
    wait_until_made(qtbot, engine, workspace, 4)
    assert Path(engine.jobs[0].task.image).parent == folders.inputs()


def test_a_sticker_gives_back_the_settings_of_its_drawing(
    qtbot, engine, workspace, drawings
) -> None:
    press(qtbot, workspace, "Make sticker")
    wait_until_made(qtbot, engine, workspace, 4)
    qtbot.waitUntil(lambda: showing(workspace) not in drawings, timeout=20_000)
    workspace.easel.prompt.replace("something else")
    workspace.findChild(QAction, "create_reuse").trigger()
    assert workspace.easel.prompt.toPlainText() == "blue disc"


def test_without_a_picture_it_says_what_to_do(qtbot, engine, workspace) -> None:
    for name in ("create_sticker", "create_enlarge", "create_export"):
        workspace.easel.say("")
        workspace.findChild(QAction, name).trigger()
        assert "generate one" in words(workspace)
    assert not engine.jobs


def test_a_drawing_is_copied_as_a_program_and_what_is_none_is_said(
    qtbot, workspace, drawings, tmp_path
) -> None:
    workspace.findChild(QAction, "create_python").trigger()
    assert "no model" in words(workspace) or "not drawn" in words(workspace)
    path = tmp_path / "drawn.png"
    metadata.write_png(path, Image.new("RGB", (8, 8)), TextToImage(prompt="a fox", seed=9))
    workspace.open_file(path)
    qtbot.waitUntil(lambda: showing(workspace) == path)
    workspace.findChild(QAction, "create_python").trigger()
    program = QGuiApplication.clipboard().text()
    assert "StableDiffusion3Pipeline" in program
    assert "prompt='a fox'" in program
    assert "manual_seed(9)" in program


def test_of_a_canvas_that_was_worked_on_it_is_said_what_can_be_copied(
    qtbot, workspace, drawings
) -> None:
    document = workspace.document
    rect = QRect(0, 0, 40, 40)
    layer = document.add_layer(Layer("Paint"))
    with document.edit(layer, "Fill") as edit, edit.paint(rect) as painter:
        painter.fillRect(rect, QColor("teal"))
    workspace.easel.strip.clearSelection()
    workspace.staging.discard()
    QGuiApplication.clipboard().setText("before")
    workspace.findChild(QAction, "create_python").trigger()
    qtbot.waitUntil(lambda: "by hand" in words(workspace))
    assert "choose one below" in words(workspace)
    assert QGuiApplication.clipboard().text() == "before"


# ------------------------------------------------------------------ exporting


def test_one_picture_is_exported_under_the_name_that_is_chosen(
    qtbot, workspace, drawings, tmp_path, monkeypatch
) -> None:
    asked: list[str] = []

    def choose(parent, title, start, filters):  # type: ignore[no-untyped-def]
        asked.append(start)
        return str(tmp_path / "elsewhere" / "mine"), filters

    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose)
    press(qtbot, workspace, "Export…")
    assert "Export blue.png" in words(workspace)
    shown(QComboBox, workspace, "Format").setCurrentText("WebP")
    shown(QCheckBox, workspace, "Lossless").setChecked(False)
    shown(QSpinBox, workspace, "Quality").setValue(40)
    press(qtbot, workspace, "Export to…")
    target = tmp_path / "elsewhere" / "mine.webp"
    qtbot.waitUntil(lambda: str(target) in words(workspace))
    with Image.open(target) as image:
        assert image.format == "WEBP"
    assert metadata.read_task(target).values["prompt"] == "blue disc"
    assert not workspace.easel.export_bar.isVisible()
    press(qtbot, workspace, "Export…")
    assert shown(QComboBox, workspace, "Format").currentText() == "WebP", "choices are remembered"
    assert shown(QSpinBox, workspace, "Quality").value() == 40
    press(qtbot, workspace, "Export to…")
    assert [Path(start).parent.name for start in asked] == [Path.home().name, "elsewhere"]
    qtbot.waitUntil(lambda: not workspace.easel.export_bar.isVisible())


def test_several_go_into_a_folder_and_nothing_there_is_lost(
    qtbot, workspace, drawings, tmp_path, monkeypatch
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "red.png").write_bytes(b"precious")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    workspace.easel.strip.selectAll()
    press(qtbot, workspace, "Export…")
    assert "Export 3 pictures" in words(workspace)
    click(qtbot, workspace, 0)
    click(qtbot, workspace, 2, also=True)
    assert "Export 2 pictures" in words(workspace), "it follows what is marked"
    press(qtbot, workspace, "Export to…")
    qtbot.waitUntil(lambda: "2 pictures exported" in words(workspace))
    assert sorted(path.name for path in folder.iterdir()) == ["blue.png", "red-2.png", "red.png"]
    assert (folder / "red.png").read_bytes() == b"precious"
    first, second = open_image(drawings[0]), open_image(folder / "red-2.png")
    assert np.array_equal(np.asarray(first), np.asarray(second))


def test_leaving_the_dialog_exports_nothing(qtbot, workspace, drawings, monkeypatch) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("", ""))
    press(qtbot, workspace, "Export…")
    press(qtbot, workspace, "Export to…")
    assert workspace.easel.export_bar.isVisible(), "what was chosen is still there"
    press(qtbot, workspace, "Do not export")
    assert not workspace.easel.export_bar.isVisible()


def test_an_export_can_be_stopped_between_two_pictures(
    qtbot, workspace, drawings, tmp_path, monkeypatch
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    workspace.easel.strip.selectAll()
    press(qtbot, workspace, "Export…")
    workspace.finished.export_into(folder)
    press(qtbot, workspace, "Stop exporting")
    qtbot.waitUntil(lambda: not workspace.finished._exporting.running)
    assert len(list(folder.iterdir())) < 3


def test_a_failed_export_is_said_in_place(qtbot, workspace, drawings) -> None:
    press(qtbot, workspace, "Export…")
    workspace.finished.export_to(Path("/proc/nowhere/a.png"))
    qtbot.waitUntil(lambda: "/proc/nowhere/a.png" in words(workspace))
    assert not workspace.finished._exporting.running


# ------------------------------------------------------------------ sheets


def test_the_sheet_begins_with_the_prompt_and_keeps_what_was_asked(
    qtbot, engine, workspace
) -> None:
    workspace.easel.prompt.replace("red heart")
    workspace.findChild(QAction, "create_sheet").trigger()
    desk = workspace._sheets.desk()
    qtbot.waitUntil(desk.isVisible)
    assert desk.form.values()["prompts"] == "red heart"
    desk.form.set_values({"prompts": "a\nb", "margin": 7})
    workspace.findChild(QAction, "create_undo").trigger()
    assert desk.form.values()["prompts"] == "red heart"
    workspace.findChild(QAction, "create_redo").trigger()
    again = CreateWorkspace(engine, workspace._settings, TASKS)
    qtbot.addWidget(again)
    assert again._sheets.desk().form.values()["prompts"] == "a\nb"
    assert again._sheets.desk().form.values()["margin"] == 7


def test_a_sheet_that_cannot_be_is_said_under_its_field(qtbot, engine, workspace) -> None:
    workspace.findChild(QAction, "create_sheet").trigger()
    desk = workspace._sheets.desk()
    press(qtbot, workspace, "Draw the sheet")
    assert "Prompts is empty." in words(workspace)
    assert not engine.jobs
    desk.form.set_values({"prompts": "a\n" * 100, "num_images_per_prompt": 64})
    press(qtbot, workspace, "Draw the sheet")
    qtbot.waitUntil(lambda: "6400 stickers" in words(workspace), timeout=60_000)
    assert engine.jobs[0].task.name() == "sticker_sheet"


def test_commands_are_in_the_menu_and_the_palette(workspace) -> None:
    texts = [action.text() for action in workspace.actions()]
    for text in ("Make sticker", "Enlarge ×4", "Export…", "Sticker sheet…"):
        assert text in texts
    keys = [a.shortcut().toString() for a in workspace.actions() if a.shortcut().toString()]
    assert len(keys) == len(set(keys))
