"""Projects in a window without a screen: saved and opened, killed and found again, never lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from faults import failing_disk, temporary_files
from PIL import Image
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QUndoStack
from PySide6.QtWidgets import QMenu, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from engine import folders
from engine.errors import EngineError
from engine.metadata import TaskRecord, read_task
from studio.canvas.document import Document
from studio.canvas.layer import BlendMode, Layer, LayerKind
from studio.canvas.selection import Selection
from studio.projects import Projects
from studio.settings import Settings
from studio.surroundings import Surroundings

ROOT = Path(__file__).resolve().parents[2]
SIZE = QSize(600, 400)
ELLIPSE = QRect(10, 10, 300, 300)
RECORD = TaskRecord("text_to_image", {"prompt": "a fox", "seed": 3, "width": 64, "height": 64})


class Studio:
    """A document, what surrounds it, and its projects."""

    def __init__(self, size: QSize = SIZE) -> None:
        self.window = QWidget()
        self.stack = QUndoStack(self.window)
        self.document = Document(size, self.stack, self.window)
        self.request: dict[str, Any] = {"prompt": "nothing"}
        self.view: dict[str, Any] = {}
        self.settings = Settings()
        around = Surroundings(
            lambda: self.request,
            lambda values: self.request.update(values),
            lambda: self.view,
            lambda values: self.view.update(values),
        )
        self.projects = Projects(self.document, around, self.settings, self.window)
        self.errors: list[EngineError] = []
        self.said: list[str] = []
        self.opened = 0
        self.projects.failed.connect(self.errors.append)
        self.projects.said.connect(self.said.append)
        self.projects.opened.connect(self._count)

    def _count(self) -> None:
        self.opened += 1

    def close(self) -> None:
        self.projects.close()
        self.settings.save()


@pytest.fixture
def start(qtbot: QtBot) -> Iterator[Callable[[], Studio]]:
    """Starts the studio; what the last one left is read."""
    started: list[Studio] = []

    def begin(size: QSize = SIZE) -> Studio:
        studio = Studio(size)
        started.append(studio)
        done: list[bool] = []
        studio.projects.restore()
        studio.projects._autosaving._background.run(lambda: True, done.append)
        qtbot.waitUntil(lambda: bool(done))
        return studio

    yield begin
    for studio in started:
        studio.close()


def paint(studio: Studio, color: str = "red", rect: QRect = ELLIPSE) -> None:
    """A half transparent ellipse with soft edges on the active layer."""
    layer = studio.document.active
    assert layer is not None
    with studio.document.edit(layer, "Ellipse") as edit, edit.paint(rect) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setOpacity(0.37)
        painter.setBrush(QColor(color))
        painter.drawEllipse(rect)


def fill(studio: Studio) -> None:
    """Three layers, a selection, settings, a place to look at."""
    document = studio.document
    document.add_layer(Layer("Paper"))
    paint(studio, "orange", QRect(-40, -30, 500, 380))
    made = Layer("狐狸", LayerKind.GENERATED, opacity=0.5, blend_mode=BlendMode.MULTIPLY)
    made.record = RECORD
    document.add_layer(made)
    paint(studio, "blue", QRect(200, 100, 399, 299))
    document.add_layer(Layer("Where", LayerKind.MASK, visible=False, locked=False))
    paint(studio, "white", QRect(5, 5, 90, 90))
    document.add_layer(Layer("Empty", locked=True))
    document.set_active(document.layers[1])
    document.set_selection(Selection.from_rect(QRect(-5, 8, 100, 50)).feathered(9))
    studio.request = {"prompt": "a fox", "steps": 12, "guidance": 2.5}
    studio.view = {"zoom": 2.0, "x": 10.5, "y": 4.0}
    studio.projects.remember(RECORD)


def state(studio: Studio) -> Any:
    """Everything a person would miss."""
    document = studio.document
    layers = [
        (
            layer.id,
            layer.name,
            layer.kind,
            layer.opacity,
            layer.blend_mode,
            layer.visible,
            layer.locked,
            layer.record,
            layer.pixels.snapshot(),
        )
        for layer in document.layers
    ]
    active = document.active.id if document.active else None
    return (
        document.size,
        layers,
        active,
        document.selection,
        document.composite(),
        studio.request,
        studio.view,
        studio.projects.history,
    )


def said(qtbot: QtBot, studio: Studio, word: str) -> None:
    qtbot.waitUntil(lambda: any(word in text for text in studio.said) or bool(studio.errors))
    assert studio.errors == []
    studio.said.clear()


def opened(qtbot: QtBot, studio: Studio, path: Path) -> None:
    before = studio.opened
    studio.projects.open(path)
    qtbot.waitUntil(lambda: studio.opened > before or bool(studio.errors))
    assert studio.errors == []


def answer(qtbot: QtBot, button: str) -> None:
    """Click that button of the next question."""
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    def click() -> None:
        question = QApplication.activeModalWidget()
        assert isinstance(question, QMessageBox)
        found = next(one for one in question.buttons() if one.text().replace("&", "") == button)
        found.click()

    QTimer.singleShot(0, click)


# ------------------------------------------------------------------ save and open


def test_a_saved_project_is_opened_exactly_as_it_was(
    qtbot: QtBot, start: Callable[[], Studio], tmp_path: Path
) -> None:
    studio = start()
    fill(studio)
    before = state(studio)
    studio.projects.save_to(tmp_path / "fox.atelier")
    said(qtbot, studio, "Saved")
    assert studio.projects.title == "fox"
    paint(studio)
    assert studio.projects.title == "• fox"
    studio.stack.undo()
    assert studio.projects.title == "fox"

    studio.projects.new(QSize(50, 40))
    assert studio.document.is_empty
    assert studio.document.size == QSize(50, 40)
    assert studio.projects.title == "Untitled"
    studio.request, studio.view, studio.projects.history = {}, {}, []
    opened(qtbot, studio, tmp_path / "fox.atelier")
    assert state(studio) == before
    assert not studio.projects.unsaved
    assert not studio.stack.canUndo()
    assert studio.projects.recent.paths() == [tmp_path / "fox.atelier"]


def test_layers_that_have_not_changed_are_copied(
    qtbot: QtBot, start: Callable[[], Studio], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from studio.canvas import project_pixels

    encoded: list[int] = []
    encode = project_pixels.encode_layer
    monkeypatch.setattr(
        project_pixels, "encode_layer", lambda pixels: encoded.append(1) or encode(pixels)
    )
    looked_at: list[int] = []
    digest = project_pixels.digest
    monkeypatch.setattr(
        project_pixels, "digest", lambda pixels: looked_at.append(1) or digest(pixels)
    )
    studio, path = start(), tmp_path / "fox.atelier"
    fill(studio)
    studio.projects.save_to(path)
    said(qtbot, studio, "Saved")
    assert (len(encoded), len(looked_at)) == (3, 3)
    paint(studio)
    studio.projects.save_to(path)
    said(qtbot, studio, "Saved")
    assert (len(encoded), len(looked_at)) == (4, 4)
    before = state(studio)
    opened(qtbot, studio, path)
    assert state(studio) == before
    studio.projects.save_to(tmp_path / "copy.atelier")
    said(qtbot, studio, "Saved")
    assert len(encoded) == 4
    path.unlink()
    (tmp_path / "copy.atelier").write_bytes(b"another program was here")
    studio.projects.save_to(path)
    said(qtbot, studio, "Saved")
    assert len(encoded) == 7
    opened(qtbot, studio, path)
    assert state(studio) == before


def test_a_layer_too_large_for_one_picture_is_saved_in_several(
    qtbot: QtBot, start: Callable[[], Studio], tmp_path: Path
) -> None:
    studio = start()
    studio.document.add_layer(Layer("Far"))
    paint(studio)
    with studio.document.edit(studio.document.layers[0], "Dot") as edit:
        dot = QImage(3, 3, QImage.Format.Format_ARGB32_Premultiplied)
        dot.fill(QColor("green"))
        edit.put(dot, QPoint(-90_000, 70_000))
    before = state(studio)
    studio.projects.save_to(tmp_path / "far.atelier")
    said(qtbot, studio, "Saved")
    studio.projects.new()
    opened(qtbot, studio, tmp_path / "far.atelier")
    assert state(studio)[1] == before[1]


def test_a_failed_save_is_told_and_leaves_the_old_file(
    qtbot: QtBot, start: Callable[[], Studio], tmp_path: Path
) -> None:
    studio, path = start(), tmp_path / "fox.atelier"
    fill(studio)
    studio.projects.save_to(path)
    said(qtbot, studio, "Saved")
    before = path.read_bytes()
    paint(studio)
    with failing_disk(3, for_good=True):
        studio.projects.save()
        qtbot.waitUntil(lambda: bool(studio.errors))
    assert str(path) in studio.errors[0].message
    assert path.read_bytes() == before
    assert temporary_files(tmp_path) == []
    assert studio.projects.unsaved
    assert studio.projects.title == "• fox"


def test_what_a_failed_save_leaves_is_unsaved_after_a_new_start_too(
    qtbot: QtBot, start: Callable[[], Studio], tmp_path: Path
) -> None:
    studio, path = start(), tmp_path / "fox.atelier"
    fill(studio)
    (tmp_path / "taken").mkdir()
    studio.projects.save_to(tmp_path / "taken")
    studio.projects._autosaving._save()  # its time comes while the project is being written
    qtbot.waitUntil(lambda: bool(studio.errors))
    studio.close()
    again = start()
    assert again.projects.unsaved
    again.projects.save_to(path)
    said(qtbot, again, "Saved")
    again.close()
    assert not start().projects.unsaved


def test_what_is_painted_while_the_project_is_saved_or_kept_is_not_lost(
    qtbot: QtBot, start: Callable[[], Studio], tmp_path: Path
) -> None:
    studio, path = start(), tmp_path / "fox.atelier"
    fill(studio)
    studio.projects.save_to(path)
    said(qtbot, studio, "Saved")
    for name in ("Save", "Don't save"):
        paint(studio)
        answer(qtbot, name)
        studio.projects.new()
        studio.document.set_active(studio.document.layers[1])
        paint(studio, "green", QRect(0, 0, 50, 50))
        changed = state(studio)
        qtbot.waitUntil(lambda: studio.document.is_empty)
        studio.projects.open_kept(studio.projects.kept[0])
        qtbot.waitUntil(lambda: not studio.document.is_empty)
        assert state(studio) == changed


def test_two_windows_with_one_project_lose_nothing(
    qtbot: QtBot, start: Callable[[], Studio], tmp_path: Path
) -> None:
    first, second, path = start(), start(), tmp_path / "fox.atelier"
    fill(first)
    first.projects.save_to(path)
    said(qtbot, first, "Saved")
    opened(qtbot, second, path)
    paint(second, "black")
    second.projects.save()
    said(qtbot, second, "Saved")
    theirs = path.read_bytes()
    paint(first)
    with failing_disk(3, for_good=True):
        first.projects.save()  # the autosave may fail first, while theirs is set aside
        qtbot.waitUntil(lambda: any(str(path) in error.message for error in first.errors))
    assert path.read_bytes() == theirs
    first.errors.clear()
    mine = state(first)
    first.projects.save()
    qtbot.waitUntil(lambda: any("Saved" in text for text in first.said))
    assert "fox (other window).atelier" in first.errors[0].hint
    assert (tmp_path / "fox (other window).atelier").read_bytes() == theirs
    paint(first)
    first.stack.undo()
    first.errors.clear()
    opened(qtbot, first, path)
    assert state(first) == mine


def test_a_project_that_cannot_be_read_changes_nothing(
    qtbot: QtBot, start: Callable[[], Studio], tmp_path: Path
) -> None:
    studio, path = start(), tmp_path / "fox.atelier"
    fill(studio)
    studio.projects.save_to(path)
    said(qtbot, studio, "Saved")
    before = state(studio)
    bad = tmp_path / "bad.atelier"
    bad.write_bytes(path.read_bytes()[:-100])
    studio.projects.open(bad)
    qtbot.waitUntil(lambda: bool(studio.errors))
    assert str(bad) in studio.errors[0].message
    assert state(studio) == before
    assert studio.projects.path == path


def test_unknown_words_of_a_project_are_refused(
    qtbot: QtBot, start: Callable[[], Studio], tmp_path: Path
) -> None:
    from engine.projects.contents import Contents, LayerEntry
    from engine.projects.project_file import Project, write_project

    studio = start()
    for number, words in enumerate(({"kind": "hologram"}, {"blend_mode": "explode"})):
        path = tmp_path / f"{number}.atelier"
        write_project(path, Project(Contents(5, 5, (LayerEntry("a", "", **words),))))
        studio.projects.open(path)
        qtbot.waitUntil(lambda count=number: len(studio.errors) > count)
        assert str(path) in studio.errors[-1].message
    write_project(tmp_path / "long.atelier", Project(Contents(60_000, 5)))
    studio.projects.open(tmp_path / "long.atelier")
    qtbot.waitUntil(lambda: len(studio.errors) == 3)
    assert studio.document.size == QSize(600, 400)


def test_what_is_no_project_is_passed_on(qtbot: QtBot, start: Callable[[], Studio]) -> None:
    studio = start()
    with qtbot.waitSignal(studio.projects.picture_chosen) as caught:
        studio.projects.open(Path("fox.PNG"))
    assert caught.args == [Path("fox.PNG")]


def test_inputs_of_tasks_travel_with_the_project(
    qtbot: QtBot, start: Callable[[], Studio], tmp_path: Path
) -> None:
    from engine.inputs import keep_picture

    source = keep_picture(Image.new("RGB", (4, 4), "red"))
    studio = start()
    fill(studio)
    record = TaskRecord("image_to_image", {"image": source.name}, source=RECORD)
    studio.document.change_layer(studio.document.layers[1], record=record)
    studio.projects.save_to(tmp_path / "fox.atelier")
    said(qtbot, studio, "Saved")
    data = source.read_bytes()
    source.unlink()
    opened(qtbot, studio, tmp_path / "fox.atelier")
    assert source.read_bytes() == data


# ------------------------------------------------------------------ nothing is lost


def test_a_named_project_with_changes_asks_and_is_kept_either_way(
    qtbot: QtBot, start: Callable[[], Studio], tmp_path: Path
) -> None:
    studio, path = start(), tmp_path / "fox.atelier"
    fill(studio)
    studio.projects.save_to(path)
    said(qtbot, studio, "Saved")
    paint(studio)
    changed = state(studio)

    answer(qtbot, "Cancel")
    studio.projects.new()
    assert state(studio) == changed

    answer(qtbot, "Don't save")
    studio.projects.new()
    qtbot.waitUntil(lambda: studio.document.is_empty)
    assert [one.label.endswith("fox") for one in studio.projects.kept] == [True]
    studio.projects.open_kept(studio.projects.kept[0])
    qtbot.waitUntil(lambda: not studio.document.is_empty)
    assert state(studio) == changed
    assert studio.projects.title == "• fox"

    answer(qtbot, "Save")
    studio.projects.new()
    qtbot.waitUntil(lambda: studio.document.is_empty)
    opened(qtbot, studio, path)
    assert state(studio) == changed
    assert studio.projects.title == "fox"


def test_an_unnamed_canvas_is_kept_without_a_question(
    qtbot: QtBot, start: Callable[[], Studio]
) -> None:
    studio = start()
    fill(studio)
    before = state(studio)
    studio.projects.new()
    qtbot.waitUntil(lambda: studio.document.is_empty)
    studio.projects.new()  # of nothing there is nothing to keep
    assert len(studio.projects.kept) == 1
    studio.projects.open_kept(studio.projects.kept[0])
    qtbot.waitUntil(lambda: not studio.document.is_empty)
    assert state(studio) == before


def test_what_cannot_be_kept_is_not_replaced(qtbot: QtBot, start: Callable[[], Studio]) -> None:
    studio = start()
    fill(studio)
    before = state(studio)
    with failing_disk(1, for_good=True):
        studio.projects.new()
        qtbot.waitUntil(lambda: bool(studio.errors))
    assert state(studio) == before


def test_what_could_not_be_kept_is_autosaved_later(
    qtbot: QtBot, start: Callable[[], Studio]
) -> None:
    studio = start()
    fill(studio)
    with failing_disk(1):
        studio.projects.new()
        qtbot.waitUntil(lambda: bool(studio.errors))
    state_file = folders.home() / "canvas" / "current" / "state.json"
    qtbot.waitUntil(state_file.exists)


def test_revert_shows_what_was_saved_and_keeps_what_was_not(
    qtbot: QtBot, start: Callable[[], Studio], tmp_path: Path
) -> None:
    studio = start()
    fill(studio)
    before = state(studio)
    studio.projects.save_to(tmp_path / "fox.atelier")
    said(qtbot, studio, "Saved")
    paint(studio)
    changed = state(studio)
    studio.projects.revert()
    qtbot.waitUntil(lambda: studio.opened == 1)
    assert state(studio) == before
    studio.projects.open_kept(studio.projects.kept[0])
    qtbot.waitUntil(lambda: studio.opened == 2)
    assert state(studio) == changed


def test_a_project_that_is_left_keeps_its_changes(
    qtbot: QtBot, start: Callable[[], Studio], tmp_path: Path
) -> None:
    studio = start()
    fill(studio)
    studio.projects.save_to(tmp_path / "fox.atelier")
    said(qtbot, studio, "Saved")
    paint(studio)
    studio.projects.leave()
    assert studio.projects.title == "• Untitled"
    qtbot.waitUntil(lambda: len(studio.projects.kept) == 1)


def test_recent_and_kept_ones_are_offered(
    qtbot: QtBot, start: Callable[[], Studio], tmp_path: Path
) -> None:
    studio = start()
    studio.projects.choose_recent()
    assert studio.said == ["There is no other project yet."]
    studio.said.clear()
    fill(studio)
    studio.projects.new()
    qtbot.waitUntil(lambda: studio.document.is_empty)
    fill(studio)
    studio.projects.save_to(tmp_path / "a & b.atelier")
    said(qtbot, studio, "Saved")
    studio.projects.choose_recent()
    menu = studio.window.findChild(QMenu, "recent_projects")
    assert menu is not None
    texts = [one.text() for one in menu.actions() if one.isEnabled() and not one.isSeparator()]
    assert texts[0] == "a && b"
    assert len(texts) == 2
    menu.close()


# ------------------------------------------------------------------ from one start to the next


def test_a_closed_studio_opens_as_it_was(qtbot: QtBot, start: Callable[[], Studio]) -> None:
    studio = start()
    fill(studio)
    before = state(studio)
    studio.close()
    again = start()
    assert state(again) == before
    assert again.projects.unsaved
    assert again.projects.title == "• Untitled"
    assert not again.stack.canUndo()


def test_a_session_that_has_been_read_is_not_written_again(
    qtbot: QtBot, start: Callable[[], Studio]
) -> None:
    studio = start()
    fill(studio)
    studio.close()
    folder = studio.projects._autosaving.folder
    packs = {path: path.stat().st_mtime_ns for path in folder.glob("*.pack")}
    start().close()
    assert {path: path.stat().st_mtime_ns for path in folder.glob("*.pack")} == packs


def test_what_kills_have_left_half_written_is_swept(
    qtbot: QtBot, start: Callable[[], Studio], tmp_path: Path
) -> None:
    studio = start()
    fill(studio)
    studio.close()
    orphans = [
        studio.projects._autosaving.folder / ".atelier-0-x.pack",
        tmp_path / ".atelier-0-y.atelier",
    ]
    for orphan in orphans:
        orphan.write_text("half")
    again = start()
    again.projects.save_to(tmp_path / "fox.atelier")
    said(qtbot, again, "Saved")
    assert not any(orphan.exists() for orphan in orphans)


def test_only_so_many_kept_ones_stay(
    qtbot: QtBot, start: Callable[[], Studio], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.autosaving.MOST_KEPT", 2)
    studio = start()
    for number in range(3):
        studio.document.add_layer(Layer(str(number)))
        paint(studio)
        studio.projects.new()
        qtbot.waitUntil(lambda: studio.document.is_empty)
    newest, *others = studio.projects.kept
    assert len(others) == 1
    studio.projects.open_kept(newest)
    qtbot.waitUntil(lambda: not studio.document.is_empty)
    assert studio.document.layers[0].name == "2"


def test_the_history_stays_short(start: Callable[[], Studio]) -> None:
    studio = start()
    for seed in range(250):
        studio.projects.remember(TaskRecord("text_to_image", {"seed": seed}))
    assert [record.values["seed"] for record in studio.projects.history] == list(range(50, 250))


def test_a_second_window_has_a_canvas_of_its_own(qtbot: QtBot, start: Callable[[], Studio]) -> None:
    first = start()
    fill(first)
    before = state(first)
    second = start()
    assert second.document.is_empty
    second.document.add_layer(Layer("Another"))
    paint(second, "black")
    other = state(second)
    second.close()
    first.close()
    third = start()
    assert state(third) == before
    third.projects.open_kept(third.projects.kept[0])
    qtbot.waitUntil(lambda: len(third.document.layers) == 1)
    assert state(third)[1] == other[1]


def test_a_project_asked_for_at_the_start_comes_after_the_last_session(
    qtbot: QtBot, start: Callable[[], Studio], tmp_path: Path
) -> None:
    studio, path = start(), tmp_path / "fox.atelier"
    fill(studio)
    studio.projects.save_to(path)
    said(qtbot, studio, "Saved")
    studio.projects.new()
    studio.document.add_layer(Layer("Unsaved"))
    paint(studio)
    studio.close()
    again = Studio()
    again.projects.restore()
    again.projects.open(path)
    qtbot.waitUntil(lambda: again.opened == 2)
    assert again.projects.title == "fox"
    assert len(again.projects.kept) == 1
    again.close()


def test_who_paints_before_the_last_session_is_read_loses_neither(
    qtbot: QtBot, start: Callable[[], Studio]
) -> None:
    studio = start()
    fill(studio)
    before = state(studio)
    studio.close()
    again = Studio()
    again.projects.restore()
    again.document.add_layer(Layer("Quick"))
    paint(again)
    now = state(again)
    qtbot.waitUntil(lambda: len(again.projects.kept) == 1)
    assert state(again) == now
    again.close()
    third = start()
    assert state(third)[1] == now[1]
    third.projects.open_kept(third.projects.kept[0])
    qtbot.waitUntil(lambda: third.opened == 2)
    assert state(third)[1] == before[1]


def test_a_window_that_has_been_open_for_days_keeps_its_canvas(
    qtbot: QtBot, start: Callable[[], Studio], home: Path
) -> None:
    first = start()
    long_ago = time.time() - 100_000
    os.utime(home / "canvas" / "current.lock", (long_ago, long_ago))
    second = start()
    assert second.projects._autosaving.folder != first.projects._autosaving.folder


def test_a_bug_in_one_autosave_is_not_the_end_of_all(
    qtbot: QtBot, start: Callable[[], Studio], monkeypatch: pytest.MonkeyPatch
) -> None:
    studio = start()
    fill(studio)
    before = state(studio)
    with monkeypatch.context() as patch, qtbot.captureExceptions() as caught:
        patch.setattr("studio.canvas.project.tile_bytes", None)
        studio.projects._autosaving._save()
        qtbot.waitUntil(lambda: bool(caught))
    studio.projects._autosaving._save()
    studio.close()
    assert state(start()) == before


def test_closing_before_the_last_session_is_read_harms_nothing(
    qtbot: QtBot, start: Callable[[], Studio]
) -> None:
    studio = start()
    fill(studio)
    before = state(studio)
    studio.close()
    quick = Studio()
    quick.projects.restore()
    quick.close()
    qtbot.wait(50)
    assert quick.opened == 0
    assert state(start()) == before


def test_settings_that_cannot_be_read_cost_no_pixels(
    qtbot: QtBot, start: Callable[[], Studio], tmp_path: Path
) -> None:
    studio = start()
    fill(studio)
    mad = TaskRecord("text_to_image", {"prompt": "fox" * 1_000_000})
    studio.projects.history.append(mad)
    studio.projects.save_to(tmp_path / "fox.atelier")
    said(qtbot, studio, "Saved")
    composite = studio.document.composite()
    studio.close()
    again = start()
    assert again.errors[0].message.startswith("1 part")
    assert (again.document.composite(), again.projects.history) == (composite, [RECORD])
    assert [one.label.endswith("damaged") for one in again.projects.kept] == [True]
    again.projects.open(tmp_path / "fox.atelier")
    qtbot.waitUntil(lambda: len(again.errors) == 2)
    assert again.errors[1].message.startswith("1 part")
    assert (again.document.composite(), again.projects.history) == (composite, [RECORD])


def test_a_damaged_autosave_shows_what_is_left_and_is_kept(
    qtbot: QtBot, start: Callable[[], Studio]
) -> None:
    studio = start()
    fill(studio)
    studio.close()
    pack = next(studio.projects._autosaving.folder.glob("*.pack"))
    data = bytearray(pack.read_bytes())
    data[50] ^= 1
    pack.write_bytes(data)
    again = start()
    assert len(again.document.layers) == 4
    assert "could not be read" in again.errors[0].message
    assert [one.label.endswith("damaged") for one in again.projects.kept] == [True]
    again.close()

    (again.projects._autosaving.folder / "state.json").write_text("{")
    third = start()
    assert third.document.is_empty
    assert "cannot be read" in third.errors[0].message
    assert len(third.projects.kept) == 2


def test_a_disk_without_room_is_told_once_and_tried_again(
    qtbot: QtBot, start: Callable[[], Studio]
) -> None:
    studio = start()
    fill(studio)
    with failing_disk(1, for_good=True):
        for _ in range(2):
            studio.projects._autosaving._save()
            qtbot.waitUntil(lambda: not studio.projects._autosaving._busy)
    assert len(studio.errors) == 1
    before = state(studio)
    studio.close()
    assert state(start()) == before


PAINTER = """
import sys
sys.path[:0] = [sys.argv[1], sys.argv[1] + "/tests", sys.argv[1] + "/tests/studio"]
from PySide6.QtWidgets import QApplication
from test_projects import Studio, fill, paint
app = QApplication([])
studio = Studio()
studio.projects.restore()
fill(studio)
studio.document.composite().save(sys.argv[2])
studio.projects._autosaving._follows = True
studio.projects.touch()
app.exec()
"""


def test_after_a_kill_everything_is_there_again(
    qtbot: QtBot, start: Callable[[], Studio], home: Path, tmp_path: Path
) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", PAINTER, str(ROOT), str(tmp_path / "seen.png")],
        env=os.environ | {"ATELIER_HOME": str(home)},
    )
    written = home / "canvas" / "current" / "state.json"
    qtbot.waitUntil(lambda: written.exists() or child.poll() is not None, timeout=60_000)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    layers = json.loads(written.read_text())["layers"]
    assert len(layers) == 4

    studio = start()
    drawn = studio.document.composite()
    assert drawn == QImage(str(tmp_path / "seen.png")).convertToFormat(drawn.format())
    expected = Studio()
    fill(expected)
    for mine, theirs in zip(state(studio)[1], state(expected)[1], strict=True):
        assert mine[1:] == theirs[1:]
    assert state(studio)[3:] == state(expected)[3:]
    active = studio.document.active
    assert active is not None
    assert active.name == "狐狸"
    expected.close()
    assert folders.home() == home


# ------------------------------------------------------------------ exporting


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_what_is_seen_is_exported_with_and_without_how_it_was_made(
    qtbot: QtBot, start: Callable[[], Studio], tmp_path: Path, suffix: str
) -> None:
    studio = start()
    fill(studio)
    path = tmp_path / f"fox{suffix}"
    studio.projects.export_to(path)
    said(qtbot, studio, "Exported")
    assert read_task(path) == RECORD
    with Image.open(path) as image:
        assert image.size == (600, 400)
        corner = image.convert("RGBA").getpixel((599, 0))
    assert corner[3] == (255 if suffix == ".jpg" else 0)
    if suffix == ".jpg":
        assert corner == (255, 255, 255, 255)
    if suffix == ".png":
        shown = studio.document.composite().convertToFormat(QImage.Format.Format_RGBA8888)
        with Image.open(path) as image:
            again = QImage(image.tobytes(), 600, 400, 2400, QImage.Format.Format_RGBA8888)
            assert (
                again.convertToFormat(studio.document.composite().format())
                == studio.document.composite()
            )
            assert shown.size() == again.size()
    studio.projects.export_to(path, keep_settings=False, quality=50, lossless=False)
    said(qtbot, studio, "Exported")
    assert read_task(path) is None


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_only_what_a_model_had_a_part_in_is_marked_so(
    qtbot: QtBot, start: Callable[[], Studio], tmp_path: Path, suffix: str
) -> None:
    studio = start()
    layer = studio.document.add_layer(Layer("Photograph"))
    paint(studio)
    studio.projects.export_to(tmp_path / f"mine{suffix}")
    said(qtbot, studio, "Exported")
    studio.document.change_layer(layer, kind=LayerKind.GENERATED)
    studio.projects.export_to(tmp_path / f"made{suffix}", keep_settings=False)
    said(qtbot, studio, "Exported")
    assert b"trainedAlgorithmicMedia" not in (tmp_path / f"mine{suffix}").read_bytes()
    assert b"trainedAlgorithmicMedia" in (tmp_path / f"made{suffix}").read_bytes()


def test_an_export_that_fails_is_told(
    qtbot: QtBot, start: Callable[[], Studio], tmp_path: Path
) -> None:
    studio = start()
    fill(studio)
    (tmp_path / "file").write_text("in the way")
    studio.projects.export_to(tmp_path / "file" / "fox.png")
    qtbot.waitUntil(lambda: bool(studio.errors))
    assert "fox.png" in studio.errors[0].message
