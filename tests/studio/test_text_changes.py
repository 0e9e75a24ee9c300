"""Changing a text in place: the selection or a paragraph, kept or not, one step of undo."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QInputDialog, QLabel, QPushButton
from pytestqt.qtbot import QtBot
from writing_task import Echo

from engine.events import Report, Token
from engine.generators.rework_text import CHANGES
from engine.task import param
from engine.worker import Engine
from studio.settings import Settings
from studio.workspaces.write import WriteWorkspace

CONTROL = Qt.KeyboardModifier.ControlModifier


@dataclass(frozen=True)
class Louder(Echo):
    """In the shape of rework_text: says the text in capitals, and what was asked for."""

    title = "Louder"

    change: str = param("rewrite", label="Change", help="What.", choices=tuple(CHANGES))
    language: str = param("English", label="Language", help="Which.")

    def run(self, report: Report, out: Path) -> None:
        told = f" {self.language}" if self.change == "translate" else ""
        for word in (self.prompt.upper() + told).split(" "):
            report(Token(f" {word}"))


@pytest.fixture
def workspace(qtbot: QtBot, engine: Engine) -> Iterator[WriteWorkspace]:
    workspace = WriteWorkspace(engine, Settings(), Echo, Louder)
    qtbot.addWidget(workspace)
    workspace.resize(1000, 640)
    with qtbot.waitActive(workspace):
        workspace.show()
        workspace.activateWindow()
    yield workspace
    workspace.close()


def write(qtbot: QtBot, workspace: WriteWorkspace, text: str, select: str = "") -> None:
    for line, words in enumerate(text.split("\n")):
        if line:
            qtbot.keyClick(workspace._page, Qt.Key.Key_Return)
        qtbot.keyClicks(workspace._page, words)
    cursor = workspace._page.textCursor()
    if select:
        cursor.setPosition(text.index(select))
        cursor.setPosition(text.index(select) + len(select), QTextCursor.MoveMode.KeepAnchor)
        workspace._page.setTextCursor(cursor)


def change(qtbot: QtBot, engine: Engine, workspace: WriteWorkspace, name: str) -> None:
    menu = workspace._changes.menu
    action = next(a for a in menu.actions() if a.objectName() == f"write_change_{name}")
    jobs = len(engine.jobs)
    action.trigger()
    qtbot.waitUntil(lambda: len(engine.jobs) > jobs and not engine.busy)


def press(qtbot: QtBot, workspace: WriteWorkspace, text: str) -> None:
    buttons = [b for b in workspace.findChildren(QPushButton) if b.text() == text]
    (button,) = [b for b in buttons if b.isVisible()]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def shown(workspace: WriteWorkspace) -> str:
    return workspace._page.toPlainText()


def struck(workspace: WriteWorkspace) -> list[str]:
    selections = workspace._page.extraSelections()
    return [s.cursor.selectedText() for s in selections if s.format.fontStrikeOut()]


def test_a_selection_is_changed_when_it_is_kept_and_one_undo_brings_it_back(
    qtbot: QtBot, engine: Engine, workspace: WriteWorkspace
) -> None:
    write(qtbot, workspace, "one two three", select="two")
    change(qtbot, engine, workspace, "shorten")
    assert shown(workspace) == "one two TWO three"
    assert struck(workspace) == ["two"] and workspace._page.suggestion == "TWO"
    press(qtbot, workspace, "Keep")
    assert shown(workspace) == "one TWO three" and struck(workspace) == []
    qtbot.keyClick(workspace._page, Qt.Key.Key_Z, CONTROL)
    assert shown(workspace) == "one two three"
    qtbot.keyClick(workspace._page, Qt.Key.Key_Y, CONTROL)
    assert shown(workspace) == "one TWO three"


def test_discarded_it_leaves_everything_as_it_was(
    qtbot: QtBot, engine: Engine, workspace: WriteWorkspace
) -> None:
    write(qtbot, workspace, "one two three", select="one two")
    change(qtbot, engine, workspace, "expand")
    assert shown(workspace) == "one two ONE TWO three"
    press(qtbot, workspace, "Discard")
    assert shown(workspace) == "one two three" and struck(workspace) == []


def test_without_a_selection_the_paragraph_is_changed(
    qtbot: QtBot, engine: Engine, workspace: WriteWorkspace
) -> None:
    write(qtbot, workspace, "first\nsecond one")
    change(qtbot, engine, workspace, "rewrite")
    assert shown(workspace) == "first\nsecond one\n\nSECOND ONE"
    assert struck(workspace) == ["second one"]
    qtbot.keyClick(workspace._page, Qt.Key.Key_Return, Qt.KeyboardModifier.AltModifier)
    assert shown(workspace) == "first\nSECOND ONE"
    qtbot.keyClicks(workspace._page, "!")
    assert shown(workspace) == "first\nSECOND ONE!", "writing goes on after it"


def test_what_is_written_is_seen_where_the_page_is_full(
    qtbot: QtBot, engine: Engine, workspace: WriteWorkspace
) -> None:
    lines = "\n".join(f"line {number}" for number in range(12))
    workspace._page.set_text(f"{lines}\n{'many words ' * 20}\nlast")
    cursor = workspace._page.textCursor()
    cursor.setPosition(shown(workspace).index("many"))
    workspace._page.setTextCursor(cursor)
    workspace._page.ensureCursorVisible()
    change(qtbot, engine, workspace, "rewrite")
    suggestion = workspace._page._suggestion
    assert suggestion is not None and workspace._page.sees(suggestion.end)


def test_what_is_typed_elsewhere_meanwhile_is_no_part_of_it(
    qtbot: QtBot, engine: Engine, workspace: WriteWorkspace
) -> None:
    write(qtbot, workspace, "one two three", select="two")
    change(qtbot, engine, workspace, "rewrite")
    qtbot.keyClick(workspace._page, Qt.Key.Key_Home, CONTROL)
    qtbot.keyClicks(workspace._page, "Zero ")
    assert shown(workspace) == "Zero one two TWO three" and struck(workspace) == ["two"]
    workspace.keep()
    assert shown(workspace) == "Zero one TWO three"
    qtbot.keyClick(workspace._page, Qt.Key.Key_Z, CONTROL)
    assert shown(workspace) == "Zero one two three"


def test_another_one_stands_for_the_same_part(
    qtbot: QtBot, engine: Engine, workspace: WriteWorkspace
) -> None:
    write(qtbot, workspace, "one two three", select="two")
    change(qtbot, engine, workspace, "rewrite")
    press(qtbot, workspace, "Again")
    qtbot.waitUntil(lambda: len(engine.jobs) == 2 and not engine.busy)
    assert shown(workspace) == "one two TWO three" and struck(workspace) == ["two"]
    press(qtbot, workspace, "Keep")
    assert shown(workspace) == "one TWO three"


def test_an_edit_of_what_is_suggested_keeps_it(
    qtbot: QtBot, engine: Engine, workspace: WriteWorkspace
) -> None:
    write(qtbot, workspace, "one two three", select="two")
    change(qtbot, engine, workspace, "rewrite")
    cursor = workspace._page.textCursor()
    cursor.setPosition(shown(workspace).index("WO"))
    workspace._page.setTextCursor(cursor)
    qtbot.keyClicks(workspace._page, "x")
    assert shown(workspace) == "one TxWO three"


def test_a_language_is_asked_for_and_remembered(
    qtbot: QtBot, engine: Engine, workspace: WriteWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def ask(parent: object, title: str, label: str, text: str = "") -> tuple[str, bool]:
        asked.append(text)
        return "French", True

    monkeypatch.setattr(QInputDialog, "getText", ask)
    write(qtbot, workspace, "sea", select="sea")
    change(qtbot, engine, workspace, "translate")
    assert workspace._page.suggestion == "SEA French"
    workspace.step_back()
    change(qtbot, engine, workspace, "translate")
    assert asked == ["English", "French"]


def test_where_there_is_no_text_it_says_so(qtbot: QtBot, workspace: WriteWorkspace) -> None:
    write(qtbot, workspace, "first\n")
    workspace.change("rewrite", "English")
    said = " ".join(label.text() for label in workspace._error.findChildren(QLabel))
    assert workspace._error.isVisible() and "no text here to change" in said
    assert shown(workspace) == "first\n" and not workspace._writing.running


def test_the_menu_is_reached_by_key(qtbot: QtBot, workspace: WriteWorkspace) -> None:
    write(qtbot, workspace, "some words")
    qtbot.keyClick(workspace._page, Qt.Key.Key_J, CONTROL)
    qtbot.waitUntil(workspace._changes.menu.isVisible)
    texts = [action.text() for action in workspace._changes.menu.actions()]
    assert len(texts) == len(CHANGES) and "Shorten" in texts
    workspace._changes.menu.close()
