"""Templates in Write: chosen, filled in with Tab, kept, removed, by mouse and keyboard."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QInputDialog, QLabel, QMenu
from pytestqt.qtbot import QtBot
from writing_task import Echo

from engine.prompts import templates
from engine.prompts.templates import Template
from engine.worker import Engine
from studio.settings import Settings
from studio.widgets.prompt_edit import PromptEdit
from studio.workspaces.write import WriteWorkspace

CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def workspace(qtbot: QtBot, engine: Engine) -> Iterator[WriteWorkspace]:
    workspace = WriteWorkspace(engine, Settings(), Echo)
    qtbot.addWidget(workspace)
    workspace.resize(1000, 640)
    with qtbot.waitActive(workspace):
        workspace.show()
        workspace.activateWindow()
    yield workspace
    workspace.close()


def actions(menu: QMenu) -> list[QAction]:
    """All of them, those of the menus in it too."""
    found: list[QAction] = []
    for action in menu.actions():
        inner = action.menu()
        found += actions(inner) if isinstance(inner, QMenu) else [action]
    return found


def choose(workspace: WriteWorkspace, name: str) -> None:
    menu = workspace._templates.menu
    menu.aboutToShow.emit()
    next(action for action in actions(menu) if action.text() == name).trigger()


def prompt(workspace: WriteWorkspace) -> PromptEdit:
    return workspace._ask_box.prompt


def said(workspace: WriteWorkspace) -> str:
    return " ".join(label.text() for label in workspace._error.findChildren(QLabel))


def test_a_template_is_filled_in_place_by_place(
    qtbot: QtBot, engine: Engine, workspace: WriteWorkspace
) -> None:
    choose(workspace, "Story")
    edit = prompt(workspace)
    assert edit.textCursor().selectedText() == "{who}"
    qtbot.keyClicks(edit, "a fox")
    qtbot.keyClick(edit, Qt.Key.Key_Tab)
    assert edit.textCursor().selectedText() == "{does what}"
    qtbot.keyClicks(edit, "finds a map")
    told = "Write the beginning of a story about a fox who finds a map."
    assert edit.toPlainText() == told
    qtbot.keyClick(edit, Qt.Key.Key_Return, CONTROL)
    qtbot.waitUntil(lambda: bool(engine.jobs) and not engine.busy)
    assert workspace._page.toPlainText() == told
    qtbot.keyClick(edit, Qt.Key.Key_Tab)
    assert not edit.hasFocus(), "without places Tab goes on to the next widget"


def test_what_is_not_filled_in_is_named_and_selected(
    qtbot: QtBot, engine: Engine, workspace: WriteWorkspace
) -> None:
    choose(workspace, "诗")
    qtbot.keyClick(prompt(workspace), Qt.Key.Key_End)
    workspace.ask()
    assert "{主题} has not been filled in" in said(workspace)
    assert prompt(workspace).textCursor().selectedText() == "{主题}"
    assert engine.jobs == [] and workspace._page.suggestion == ""


def test_braces_of_ones_own_are_words_like_any_other(
    qtbot: QtBot, engine: Engine, workspace: WriteWorkspace
) -> None:
    prompt(workspace).setPlainText("say {this}")
    workspace.ask()
    qtbot.waitUntil(lambda: bool(engine.jobs) and not engine.busy)
    assert workspace._page.toPlainText() == "say {this}"


def test_undo_brings_back_what_stood_there(qtbot: QtBot, workspace: WriteWorkspace) -> None:
    qtbot.keyClicks(prompt(workspace), "my words")
    choose(workspace, "Poem")
    qtbot.keyClick(prompt(workspace), Qt.Key.Key_Z, CONTROL)
    assert prompt(workspace).toPlainText() == "my words"


def test_a_prompt_is_kept_offered_and_removed(
    qtbot: QtBot, workspace: WriteWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: (" Mine & yours ", True))
    qtbot.keyClicks(prompt(workspace), "Say {what}")
    choose(workspace, "Keep the prompt as a template…")
    assert templates.own() == (Template("Mine & yours", "Say {what}"),)
    prompt(workspace).clear()
    choose(workspace, "Mine && yours")
    assert prompt(workspace).toPlainText() == "Say {what}"
    menu = workspace._templates.menu
    menu.aboutToShow.emit()
    [a for a in actions(menu) if a.text() == "Mine && yours"][-1].trigger()
    assert templates.own() == ()


def test_an_empty_prompt_is_not_kept(qtbot: QtBot, workspace: WriteWorkspace) -> None:
    workspace._templates.keep()
    assert "no prompt to keep" in said(workspace) and templates.own() == ()


def test_a_broken_file_is_told_and_the_others_are_offered(
    qtbot: QtBot, workspace: WriteWorkspace
) -> None:
    templates.own_file().write_text("{", encoding="utf-8")
    choose(workspace, "Poem")
    assert "templates.json cannot be read" in said(workspace)
    assert "{topic}" in prompt(workspace).toPlainText()


def test_the_menu_opens_by_key(qtbot: QtBot, workspace: WriteWorkspace) -> None:
    qtbot.keyClick(prompt(workspace), Qt.Key.Key_T, CONTROL)
    qtbot.waitUntil(workspace._templates.menu.isVisible)
    assert len(workspace._templates.menu.actions()) >= 3
    workspace._templates.menu.close()
