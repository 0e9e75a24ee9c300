"""Models of the Hub through the real window: nothing is asked before a click."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from local_hub import LocalHub, files_in, the_only_hub
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QListWidget, QPushButton
from pytestqt.qtbot import QtBot
from tiny_language_models import save_folder, save_gguf

from engine import folders
from engine.recommended import recommended
from engine.worker import JobState
from studio.app import Studio
from studio.dialogs.get_models import GetModelsDialog
from studio.panels.log_records import LogHandler
from studio.workspaces.models import ModelsWorkspace
from studio.workspaces.write import WriteWorkspace

PATIENCE = 120_000
OPEN = {"apache-2.0", "mit", "bsd-3-clause", "creativeml-openrail-m", "openrail++"}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    with the_only_hub(tmp_path / "hugging face", monkeypatch) as hub:
        poet = files_in(save_folder(tmp_path / "made"))
        hub.add("somebody/poet", poet, licence="mit")
        hub.add("famous/closed-poet", poet, gated=True, downloads=9)
        packed = save_gguf(tmp_path / "packed.gguf").read_bytes()
        hub.add("somebody/packed", {"p-Q4_K_M.gguf": packed, "p-Q8_0.gguf": packed})
        yield hub


@pytest.fixture
def studio(qtbot: QtBot, qapp: QApplication, hub: LocalHub) -> Iterator[Studio]:
    studio = Studio(qapp, LogHandler())
    with qtbot.waitExposed(studio.window):
        studio.window.show()
    yield studio
    hub.stalls.clear()
    for job in studio.fetch.jobs:
        job.cancel()
    qtbot.waitUntil(lambda: not studio.fetch.busy, timeout=PATIENCE)
    studio.window.close()
    studio.close()


@pytest.fixture
def dialog(qtbot: QtBot, studio: Studio) -> GetModelsDialog:
    models = studio.window.open_workspace("models")
    button = next(b for b in models.findChildren(QPushButton) if b.text() == "Get models…")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    (dialog,) = studio.window.findChildren(GetModelsDialog)
    return dialog


def search(qtbot: QtBot, dialog: GetModelsDialog, words: str) -> None:
    dialog.list.search.clear()
    qtbot.keyClicks(dialog.list.search, words)
    qtbot.keyClick(dialog.list.search, Qt.Key.Key_Return)
    qtbot.waitUntil(
        lambda: f"“{words}”" in said(dialog) and "…" not in said(dialog), timeout=PATIENCE
    )


def said(dialog: GetModelsDialog) -> str:
    return dialog.list._said.text()


def choose(qtbot: QtBot, dialog: GetModelsDialog, title: str) -> None:
    rows = dialog.list.findChild(QListWidget)
    assert rows is not None
    (item,) = rows.findItems(title, Qt.MatchFlag.MatchStartsWith)
    where = rows.visualItemRect(item).center()
    qtbot.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=where)


def press(qtbot: QtBot, button: QPushButton) -> None:
    qtbot.waitUntil(button.isVisible, timeout=PATIENCE)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_found_asked_for_fetched_and_used(qtbot, studio, hub, dialog) -> None:
    page = dialog.page
    assert len(dialog.list.titles()) == len(recommended())
    qtbot.keyClicks(dialog.list.search, "poet")
    choose(qtbot, dialog, "SmolLM2 360M")
    qtbot.wait(200)
    assert hub.asked == [] and page.ask.isVisible() and not page.get.isVisible()
    assert "about 730 MB" in page.told()
    search(qtbot, dialog, "poet")
    assert [title.partition(" ")[0] for title in dialog.list.titles()] == [
        "famous/closed-poet",
        "somebody/poet",
    ]
    choose(qtbot, dialog, "somebody/poet")
    assert len(hub.asked) == 1
    press(qtbot, page.ask)
    qtbot.waitUntil(page.get.isVisible, timeout=PATIENCE)
    assert page.get.text() == "Get 177 kB" and "mit" in page.told()
    assert not any("/resolve/" in path for _, path, _, _ in hub.asked)
    press(qtbot, page.get)
    press(qtbot, page.use)
    write = studio.window.workspace_named("write")
    assert isinstance(write, WriteWorkspace) and write.form.values()["model"] == "poet"
    models = studio.window.open_workspace("models")
    assert isinstance(models, ModelsWorkspace)
    qtbot.waitUntil(lambda: "poet · language model" in models._list.titles(), timeout=PATIENCE)


@pytest.mark.slow
def test_a_pause_keeps_what_came_and_it_goes_on(qtbot, studio, hub, dialog) -> None:
    page = dialog.page
    search(qtbot, dialog, "somebody/poet")
    press(qtbot, page.ask)
    hub.stalls.set()
    press(qtbot, page.get)
    room = folders.models() / ".fetching"
    qtbot.waitUntil(
        lambda: any(part.stat().st_size for part in room.rglob("*.safetensors.*.part")),
        timeout=PATIENCE,
    )
    (job,) = studio.fetch.jobs
    assert page.pause.isVisible() and job.state is JobState.RUNNING
    dialog.list.show_recommended()  # another model, and back
    assert not page.pause.isVisible()
    search(qtbot, dialog, "somebody/poet")
    press(qtbot, page.pause)
    qtbot.waitUntil(lambda: page.get.text().startswith("Go on: "), timeout=PATIENCE)
    hub.stalls.clear()
    assert job.state is JobState.CANCELLED and page.discard.isVisible()
    hub.asked.clear()
    press(qtbot, page.get)
    qtbot.waitUntil(page.use.isVisible, timeout=PATIENCE)
    assert hub.pulled()[0][1].startswith("bytes=")
    assert (folders.models() / "poet" / "source.json").is_file()


@pytest.mark.slow
def test_one_file_of_several_is_chosen(qtbot, hub, dialog) -> None:
    page = dialog.page
    search(qtbot, dialog, "packed")
    press(qtbot, page.ask)
    qtbot.waitUntil(page.files.isVisible, timeout=PATIENCE)
    assert page.file == "p-Q4_K_M.gguf"
    page.files.setFocus()
    qtbot.keyClick(page.files, Qt.Key.Key_Down)
    page.files.activated.emit(page.files.currentIndex())
    qtbot.waitUntil(lambda: "p-Q8_0.gguf" in page.told(), timeout=PATIENCE)
    press(qtbot, page.get)
    qtbot.waitUntil(page.use.isVisible, timeout=PATIENCE)
    assert [path.name for path in folders.models().glob("[!.]*")] == ["p-Q8_0.gguf"]


@pytest.mark.slow
def test_a_licence_to_accept_is_said_there(qtbot, hub, dialog) -> None:
    page = dialog.page
    search(qtbot, dialog, "closed")
    press(qtbot, page.ask)
    qtbot.waitUntil(page.get.isVisible, timeout=PATIENCE)
    assert any("licence must be accepted first" in text for text in page.told())
    press(qtbot, page.get)
    qtbot.waitUntil(dialog.errors.isVisible, timeout=PATIENCE)
    assert f"{hub.address}/famous/closed-poet" in dialog.errors.details()
    assert page.get.isVisible()


def test_what_is_recommended_is_openly_licensed_and_has_its_size() -> None:
    models = recommended()
    assert len({model.repository for model in models}) == len(models)
    for model in models:
        assert model.licence in OPEN and model.size > 0 and model.memory > 0
        assert model.task and model.about and model.repository.count("/") == 1
