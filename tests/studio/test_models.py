"""The Models workspace, with mouse and keyboard, on real small models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import tiny_encoder
from gallery_pictures import save_picture
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QListWidget, QPushButton
from pytestqt.qtbot import QtBot
from tiny_language_models import save_folder, save_gguf
from tiny_loras import save_lora

from engine import folders
from engine.gallery.index import Index
from engine.registry import task_class
from engine.worker import Engine, Job
from studio.settings import Settings
from studio.workspaces.models import ModelsWorkspace

LONG = 60_000


@pytest.fixture
def workspace(qtbot: QtBot, engine: Engine) -> Iterator[ModelsWorkspace]:
    save_folder(folders.models() / "poet")
    broken = save_gguf(folders.models() / "broken.gguf")
    broken.write_bytes(broken.read_bytes()[:-50])
    save_lora(Path("resources/models/stickers"), folders.loras() / "ink.safetensors")
    for number in range(3):
        save_picture(f"{number}")
    save_picture("another", model="someone else")
    index = Index()
    index.scan()
    index.close()
    workspace = ModelsWorkspace(engine, Settings())
    qtbot.addWidget(workspace)
    workspace.resize(1000, 640)
    workspace.show()
    qtbot.waitUntil(lambda: len(titles(workspace)) == 4, timeout=LONG)
    yield workspace
    workspace.close()


def titles(workspace: ModelsWorkspace) -> list[str]:
    return workspace._list.titles()


def choose(qtbot: QtBot, workspace: ModelsWorkspace, title: str) -> None:
    rows = workspace._list.findChild(QListWidget)
    assert rows is not None
    (item,) = rows.findItems(title, Qt.MatchFlag.MatchContains)
    where = rows.visualItemRect(item).center()
    qtbot.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=where)


def button(workspace: ModelsWorkspace, text: str) -> QPushButton:
    return next(b for b in workspace._page.findChildren(QPushButton) if b.text() == text)


def test_all_are_listed_with_what_they_are_and_what_is_wrong(qtbot, engine, workspace) -> None:
    assert titles(workspace) == [
        "stickers · image model",
        "⚠ broken.gguf",
        "poet · language model",
        "ink · LoRA",
    ]
    assert "image model (StableDiffusion3)" in workspace._page.told()
    assert not button(workspace, "Remove").isVisible()  # what ships stays
    choose(qtbot, workspace, "broken")
    assert any("is cut short" in told for told in workspace._page.told())
    assert not button(workspace, "Use it").isVisible()
    assert engine.jobs == []


def test_they_are_searched_by_name_kind_and_licence(qtbot, workspace) -> None:
    workspace._list.search.setFocus()
    qtbot.keyClicks(workspace._list.search, "lora")
    assert titles(workspace) == ["ink · LoRA"]


@pytest.mark.parametrize(
    ("title", "asked"),
    [
        ("poet", ("write", {"model": "poet"})),
        ("ink", ("create", {"loras": "ink: 1"})),
        ("stickers", ("create", {"model": "stickers"})),
    ],
)
def test_one_is_used_where_it_works(qtbot, workspace, title, asked) -> None:
    choose(qtbot, workspace, title)
    with qtbot.waitSignal(workspace.use_requested) as used:
        qtbot.mouseClick(button(workspace, "Use it"), Qt.MouseButton.LeftButton)
    assert tuple(used.args) == asked


def test_how_many_pictures_one_made_is_told_and_they_are_shown(qtbot, workspace) -> None:
    choose(qtbot, workspace, "stickers")
    qtbot.waitUntil(lambda: workspace._page._pictures.isVisible())
    with qtbot.waitSignal(workspace.pictures_requested) as asked:
        qtbot.mouseClick(button(workspace, "3 pictures"), Qt.MouseButton.LeftButton)
    assert asked.args == ['model:"stickers"']
    choose(qtbot, workspace, "poet")
    assert not workspace._page._pictures.isVisible()


def test_what_no_workspace_uses_cannot_be_asked_for(qtbot, workspace) -> None:
    tiny_encoder.save_folder(folders.models() / "meaning", "boats trains")
    qtbot.keyClick(workspace, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: "meaning · embedding model" in titles(workspace), timeout=LONG)
    choose(qtbot, workspace, "meaning")
    with qtbot.assertNotEmitted(workspace.use_requested):
        workspace.use()


def test_what_a_job_brought_is_listed_when_it_has_ended(qtbot, engine, workspace, tmp_path) -> None:
    task = task_class("add_model").from_dict({"path": str(save_gguf(tmp_path / "new.gguf"))})
    engine.submit(Job(task, tmp_path))
    qtbot.waitUntil(lambda: "new · language model" in titles(workspace), timeout=LONG)


def test_one_is_removed_and_comes_back(qtbot, workspace) -> None:
    choose(qtbot, workspace, "poet")
    before = sorted(path.name for path in (folders.models() / "poet").iterdir())
    qtbot.mouseClick(button(workspace, "Remove"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "poet · language model" not in titles(workspace), timeout=LONG)
    assert not (folders.models() / "poet").exists()
    workspace.bring_back()
    qtbot.waitUntil(lambda: "poet · language model" in titles(workspace), timeout=LONG)
    assert sorted(path.name for path in (folders.models() / "poet").iterdir()) == before


def test_a_model_that_came_meanwhile_is_there_after_looking_again(qtbot, workspace) -> None:
    save_gguf(folders.models() / "late.gguf")
    qtbot.keyClick(workspace, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: "late · language model" in titles(workspace), timeout=LONG)
