"""The Create workspace, used with mouse and keyboard, on a real engine with a small real task."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from drawing_task import Paint
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QAction, QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot
from repainting_task import Repaint

from engine import folders, metadata
from engine.worker import Engine, JobState
from studio.requests import Meaning
from studio.settings import Settings
from studio.widgets.number_box import NumberBox
from studio.workspaces.create import CreateWorkspace

CONTROL = Qt.KeyboardModifier.ControlModifier
TASKS = {Meaning.CREATE: Paint} | dict.fromkeys(
    (Meaning.REFINE, Meaning.FILL, Meaning.EXTEND), Repaint
)


@pytest.fixture
def open_workspace(qtbot: QtBot, engine: Engine) -> Iterator[Callable[[], CreateWorkspace]]:
    opened = []

    def open_one() -> CreateWorkspace:
        workspace = CreateWorkspace(engine, Settings(), TASKS)
        qtbot.addWidget(workspace)
        workspace.resize(1100, 700)
        with qtbot.waitActive(workspace):
            workspace.show()
            workspace.activateWindow()
        opened.append(workspace)
        return workspace

    yield open_one
    for workspace in opened:
        workspace.close()


@pytest.fixture
def workspace(open_workspace: Callable[[], CreateWorkspace]) -> CreateWorkspace:
    return open_workspace()


def ask(qtbot: QtBot, workspace: CreateWorkspace, prompt: str) -> None:
    box = workspace.easel.prompt
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, prompt)
    qtbot.keyClick(box, Qt.Key.Key_Return, CONTROL)


def press(qtbot: QtBot, workspace: QWidget, text: str) -> None:
    buttons = workspace.findChildren(QPushButton) + workspace.findChildren(QToolButton)
    shown = [b for b in buttons if b.isVisible() and text in (b.text(), b.accessibleName())]
    assert len(shown) == 1, f"{text}: {[b.text() for b in buttons if b.isVisible()]}"
    qtbot.mouseClick(shown[0], Qt.MouseButton.LeftButton)


def words(workspace: QWidget) -> str:
    return "\n".join(label.text() for label in workspace.findChildren(QLabel) if label.isVisible())


def shown(workspace: CreateWorkspace) -> Path | None:
    """The file of what is on the canvas."""
    return None if workspace.staging.is_preview else workspace.opening.path


def wait_until_drawn(qtbot: QtBot, engine: Engine, count: int = 1) -> None:
    qtbot.waitUntil(lambda: len(engine.jobs) == count and not engine.busy)


def act(workspace: CreateWorkspace, name: str) -> None:
    workspace.findChild(QAction, name).trigger()


def box(workspace: CreateWorkspace, name: str) -> NumberBox:
    return next(b for b in workspace.findChildren(NumberBox) if b.accessibleName() == name)


def drop(target: QWidget, path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    place = QPoint(20, 20)
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(place, Qt.DropAction.CopyAction, data, left, none)
    QApplication.sendEvent(target, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(
        target, QDropEvent(QPointF(place), Qt.DropAction.CopyAction, data, left, none)
    )


def drop_and_wait(qtbot: QtBot, workspace: CreateWorkspace, path: Path) -> None:
    drop(workspace.easel, path)
    qtbot.waitUntil(lambda: shown(workspace) == path)


def paint(folder: Path, **values: object) -> Path:
    """An image as another session has left it."""
    path = folder / "before.png"
    task = Paint(**{"prompt": "old", "seed": 42, **values})
    metadata.write_png(path, Image.new("RGB", (8, 8)), task)
    return path


def test_one_click_makes_an_image_from_an_empty_start(qtbot, engine, workspace) -> None:
    press(qtbot, workspace, "Draw “red heart”")
    wait_until_drawn(qtbot, engine)
    qtbot.waitUntil(lambda: shown(workspace) is not None)
    assert workspace.easel.canvas.isVisible()
    assert shown(workspace).parent == folders.outputs()
    assert workspace.easel.prompt.toPlainText() == "red heart"
    assert workspace.easel.strip.count() == 1
    assert "32 × 16" in words(workspace)


def test_any_example_can_be_drawn(qtbot, engine, workspace) -> None:
    press(qtbot, workspace, "3d rocket")
    wait_until_drawn(qtbot, engine)
    assert engine.jobs[0].task.prompt == "3d rocket"


def test_a_preview_is_shown_while_it_draws(qtbot, engine, workspace) -> None:
    workspace.form.set_values({"pause": 0.2})
    ask(qtbot, workspace, "a fox")
    qtbot.waitUntil(lambda: workspace.staging.is_preview)
    assert workspace.staging.image.width() == 32, "as large as the finished image will be"
    qtbot.waitUntil(lambda: "Drawing" in words(workspace))
    wait_until_drawn(qtbot, engine)
    qtbot.waitUntil(lambda: not workspace.staging.is_preview)
    assert "Drawing" not in words(workspace)


def test_several_may_wait_and_each_keeps_its_own_prompt(qtbot, engine, workspace) -> None:
    for prompt in ("one", "two", "three"):
        ask(qtbot, workspace, prompt)
    wait_until_drawn(qtbot, engine, 3)
    strip = workspace.easel.strip
    qtbot.waitUntil(lambda: strip.count() == 3)
    tips = [strip.item(row).toolTip() for row in range(3)]
    assert [
        tip for tip, word in zip(tips, ("three", "two", "one"), strict=True) if word in tip
    ] == tips


def test_escape_stops_and_the_last_finished_image_comes_back(qtbot, engine, workspace) -> None:
    ask(qtbot, workspace, "first")
    wait_until_drawn(qtbot, engine)
    qtbot.waitUntil(lambda: shown(workspace) is not None)
    finished = shown(workspace)
    workspace.form.set_values({"pause": 5})
    ask(qtbot, workspace, "second")
    qtbot.waitUntil(lambda: workspace.staging.is_preview)
    qtbot.keyClick(workspace.easel.prompt, Qt.Key.Key_Escape)
    wait_until_drawn(qtbot, engine, 2)
    assert engine.jobs[1].state is JobState.CANCELLED
    qtbot.waitUntil(lambda: shown(workspace) == finished)


def test_a_failure_is_said_in_place_and_retry_asks_again(qtbot, engine, workspace) -> None:
    ask(qtbot, workspace, "fail")
    qtbot.waitUntil(lambda: "The model is broken." in words(workspace))
    assert "Choose another one." in words(workspace)
    press(qtbot, workspace, "Retry")
    qtbot.waitUntil(lambda: len(engine.jobs) == 2)
    assert engine.jobs[1].task == engine.jobs[0].task


def test_an_empty_prompt_is_refused_where_it_is_missing(qtbot, engine, workspace) -> None:
    press(qtbot, workspace, "Generate")
    assert "Prompt is empty." in words(workspace)
    assert workspace.easel.prompt.hasFocus()
    assert not engine.jobs


def test_an_open_seed_changes_and_is_shown_and_a_locked_one_stays(qtbot, engine, workspace) -> None:
    ask(qtbot, workspace, "a")
    ask(qtbot, workspace, "a")
    first, second = (job.task.seed for job in engine.jobs)
    assert first != second
    assert box(workspace, "Seed").text() == str(second)
    press(qtbot, workspace, "Keep this seed")
    ask(qtbot, workspace, "b")
    assert engine.jobs[2].task.seed == second
    wait_until_drawn(qtbot, engine, 3)


@pytest.mark.parametrize("empty", [True, False], ids=["on the empty page", "on the canvas"])
def test_a_dropped_image_brings_every_setting_back(
    qtbot, engine, workspace, tmp_path, empty: bool
) -> None:
    path = paint(tmp_path, prompt="old fox", negative_prompt="blur", width=64, model="pen")
    if not empty:
        ask(qtbot, workspace, "new")
        wait_until_drawn(qtbot, engine)
        qtbot.waitUntil(lambda: workspace.easel.canvas.isVisible())
    drop(workspace.easel, path)
    qtbot.waitUntil(lambda: shown(workspace) == path)
    assert workspace.easel.prompt.toPlainText() == "old fox"
    assert workspace.easel.negative_prompt.toPlainText() == "blur"
    assert workspace.easel.negative_prompt.isVisible()
    values = workspace.form.values()
    assert (values["width"], values["model"], values["seed"]) == (64, "pen", 42)
    before = len(engine.jobs)
    press(qtbot, workspace, "Generate")
    assert engine.jobs[before].task == Paint.from_dict(metadata.read_task(path).values)
    wait_until_drawn(qtbot, engine, before + 1)


def test_restoring_can_be_undone(qtbot, workspace, tmp_path) -> None:
    workspace.easel.prompt.replace("mine")
    workspace.form.set_values({"width": 128})
    former = workspace.reusing.request()
    drop_and_wait(qtbot, workspace, paint(tmp_path, width=64))
    assert workspace.reusing.request() != former
    press(qtbot, workspace, "Undo")
    assert workspace.reusing.request() == former


def test_what_cannot_be_restored_is_named(qtbot, workspace, tmp_path) -> None:
    drop_and_wait(qtbot, workspace, paint(tmp_path, model="vanished", width=64))
    assert "except: Model" in words(workspace)
    assert workspace.form.values()["width"] == 64
    assert workspace.form.values()["model"] == "brush"


def test_a_picture_from_outside_cannot_choose_a_path(workspace, tmp_path) -> None:
    record = metadata.TaskRecord("drawing_task", {"prompt": "x", "model": str(tmp_path)})
    workspace.reusing.show_record(record)
    assert workspace.form.values()["model"] == "brush"


def test_other_images_and_other_files_are_told_apart(qtbot, workspace, tmp_path) -> None:
    plain = tmp_path / "plain.png"
    Image.new("RGB", (8, 8)).save(plain)
    drop_and_wait(qtbot, workspace, plain)
    act(workspace, "create_reuse")
    assert "no settings" in words(workspace)
    assert shown(workspace) == plain
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"nothing like an image")
    drop(workspace.easel, broken)
    qtbot.waitUntil(lambda: "broken.png" in words(workspace))
    assert shown(workspace) == plain


def test_what_was_typed_survives_a_crash(qtbot, workspace, open_workspace) -> None:
    workspace.easel.prompt.setFocus()
    qtbot.keyClicks(workspace.easel.prompt, "half a thought")
    workspace.form.set_values({"width": 256, "seed": 9})
    workspace._settings.save()  # what its timer does half a second later; nothing is closed
    again = open_workspace()
    assert again.easel.prompt.toPlainText() == "half a thought"
    assert again.form.values()["width"] == 256
    assert again.form.values()["seed"] == 9


def test_damaged_settings_do_not_keep_it_from_opening(qtbot, engine, home: Path) -> None:
    settings = Settings()
    settings.set_value("create/request", {"width": "wide", "prompt": ["a"], "model": 3})
    settings.set_value("create/history", [1, "good", None])
    workspace = CreateWorkspace(engine, settings, TASKS)
    qtbot.addWidget(workspace)
    assert workspace.form.values()["width"] == 32
    assert workspace.easel.prompt.history == ["good"]


def test_draw_this_from_another_workspace(qtbot, engine, workspace) -> None:
    workspace.draw("from a text")
    wait_until_drawn(qtbot, engine)
    assert engine.jobs[0].task.prompt == "from a text"


def test_alt_up_brings_back_an_earlier_prompt(qtbot, engine, workspace) -> None:
    for prompt in ("one", "two"):
        ask(qtbot, workspace, prompt)
    prompt = workspace.easel.prompt
    alt = Qt.KeyboardModifier.AltModifier
    qtbot.keyClick(prompt, Qt.Key.Key_Up, alt)
    qtbot.keyClick(prompt, Qt.Key.Key_Up, alt)
    assert prompt.toPlainText() == "one"
    qtbot.keyClick(prompt, Qt.Key.Key_Down, alt)
    assert prompt.toPlainText() == "two"
    wait_until_drawn(qtbot, engine, 2)


def test_copy_puts_the_pixels_and_the_file_on_the_clipboard(qtbot, engine, workspace) -> None:
    ask(qtbot, workspace, "a")
    wait_until_drawn(qtbot, engine)
    qtbot.waitUntil(lambda: shown(workspace) is not None)
    workspace.easel.canvas.setFocus()
    qtbot.keyClick(workspace.easel.canvas, Qt.Key.Key_C, CONTROL)
    data = QGuiApplication.clipboard().mimeData()
    assert data.imageData().width() == 32
    assert data.urls()[0].toLocalFile() == str(shown(workspace))


def test_arrow_keys_walk_through_the_results(qtbot, engine, workspace) -> None:
    for prompt in ("one", "two"):
        ask(qtbot, workspace, prompt)
    wait_until_drawn(qtbot, engine, 2)
    strip = workspace.easel.strip
    qtbot.waitUntil(lambda: strip.count() == 2 and strip.currentRow() == 0)
    qtbot.waitUntil(lambda: shown(workspace) == strip.newest())
    newest = shown(workspace)
    strip.setFocus()
    qtbot.keyClick(strip, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: shown(workspace) not in (newest, None))
    act(workspace, "create_reuse")
    assert workspace.easel.prompt.toPlainText() == "one"


def test_undo_of_a_parameter_by_keyboard(qtbot, workspace) -> None:
    workspace.form.set_values({"width": 128})
    workspace.easel.canvas.setFocus()
    act(workspace, "create_undo")
    assert workspace.form.values()["width"] == 32
    act(workspace, "create_redo")
    assert workspace.form.values()["width"] == 128


def test_it_opens_with_the_parameters_of_text_to_image(qtbot, engine) -> None:
    workspace = CreateWorkspace(engine, Settings())
    qtbot.addWidget(workspace)
    names = {b.accessibleName() for b in workspace.findChildren(NumberBox)}
    assert {"Width", "Height", "Steps", "Guidance", "Seed", "Images"} <= names
    assert box(workspace, "Width").text() == "automatic"
