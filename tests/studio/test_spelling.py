"""Spelling: which words are wrong, what they may have meant, and the page that shows it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent, QGuiApplication, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot
from writing_task import Echo

from engine import folders
from engine.errors import FileError
from engine.worker import Engine
from studio import spelling
from studio.settings import Settings
from studio.spelling import Speller
from studio.workspaces.write import WriteWorkspace

CONTROL = Qt.KeyboardModifier.ControlModifier
WAVE = QTextCharFormat.UnderlineStyle.SpellCheckUnderline


def wrong(text: str) -> list[str]:
    return [text[start:end] for start, end in Speller("en").wrong_words(text)]


def test_wrong_words_are_found_and_what_is_no_word_is_left_alone() -> None:
    assert wrong("Teh lighthouse, recieve it!") == ["Teh", "recieve"]
    assert wrong("The keeper's lamp isn’t lit; Anna’s is.") == []
    assert wrong("See https://exmple.org/qzx, a_qzx, NASAX, v2qzx, x, me@qzx.org or 3rd") == []
    assert wrong("🌊 teh 天黑") == ["teh"]


def test_the_commonest_meaning_comes_first_with_the_same_capitals() -> None:
    assert Speller("en").suggestions("Teh")[0] == "The"
    assert Speller("en").suggestions("lighthose") == ["lighthouse"]
    assert Speller("en").suggestions("qzxqzxqzxqzxqzx") == []


def test_every_language_is_there() -> None:
    for language in spelling.LANGUAGES:
        word = "щщъъ" if language == "ru" else "qzxwqzx"
        assert list(Speller(language).wrong_words(word)) == [(0, len(word))]


def test_own_words_are_kept(home) -> None:
    Speller("en").learn("Qzx")
    assert spelling.own_words() == ["Qzx"]
    assert wrong("qzx Qzx’s") == []
    assert Speller("de").is_known("qzx")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root reads everything")
def test_own_words_that_cannot_be_read_are_named(home) -> None:
    Speller("en").learn("Qzx")
    (folders.home() / "documents" / "words.txt").chmod(0)
    with pytest.raises(FileError, match=r"words\.txt could not be read"):
        Speller("en")


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


def marked(workspace: WriteWorkspace) -> list[str]:
    """The words with a wavy line."""
    found = []
    block = workspace._page.document().begin()
    while block.isValid():
        for each in block.layout().formats():
            if each.format.underlineStyle() == WAVE:
                cursor = QTextCursor(block)
                cursor.setPosition(block.position() + each.start)
                cursor.setPosition(
                    block.position() + each.start + each.length, QTextCursor.MoveMode.KeepAnchor
                )
                found.append(cursor.selectedText())
        block = block.next()
    return found


def menu(qtbot: QtBot) -> QMenu:
    qtbot.waitUntil(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
    popup = QApplication.activePopupWidget()
    assert isinstance(popup, QMenu)
    return popup


def choose(qtbot: QtBot, opened: QMenu, text: str) -> None:
    action = next(a for a in opened.actions() if a.text() == text)
    qtbot.mouseClick(opened, Qt.MouseButton.LeftButton, pos=opened.actionGeometry(action).center())


def test_wrong_words_are_marked_as_they_are_typed_and_undo_knows_nothing(qtbot, workspace) -> None:
    QGuiApplication.clipboard().setText("🌊 teh sea")
    qtbot.keyClick(workspace._page, Qt.Key.Key_V, CONTROL)
    assert marked(workspace) == []
    workspace._spelling.choose("en")
    assert marked(workspace) == ["teh"]
    qtbot.keyClicks(workspace._page, " is wyde")
    assert marked(workspace) == ["teh", "wyde"]
    workspace._spelling.choose("")
    assert marked(workspace) == []
    qtbot.keyClick(workspace._page, Qt.Key.Key_Z, CONTROL)
    assert workspace._page.toPlainText() == ""  # as it is without marks


def test_f7_goes_to_the_next_and_its_menu_mends_it(qtbot, workspace) -> None:
    workspace._spelling.choose("en")
    qtbot.keyClicks(workspace._page, "Teh sea is wyde")
    qtbot.keyClick(workspace._page, Qt.Key.Key_F7)
    choose(qtbot, menu(qtbot), "The")
    assert workspace._page.toPlainText() == "The sea is wyde"
    qtbot.keyClick(workspace._page, Qt.Key.Key_Z, CONTROL)
    assert workspace._page.toPlainText() == "Teh sea is wyde"
    qtbot.keyClick(workspace._page, Qt.Key.Key_F7)
    menu(qtbot).close()
    assert workspace._page.selected_text() == "wyde"


def test_a_word_can_be_added_to_ones_own(qtbot, workspace) -> None:
    workspace._spelling.choose("en")
    qtbot.keyClicks(workspace._page, "The qzxw sea")
    rect = workspace._page.cursorRect(workspace._page.document().find("qzx"))
    place = workspace._page.viewport().mapToGlobal(rect.center())
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, QPoint(1, 1), place)
    QApplication.sendEvent(workspace._page.viewport(), event)
    choose(qtbot, menu(qtbot), "Add “qzxw” to my words")
    assert marked(workspace) == [] and spelling.own_words() == ["qzxw"]


def test_the_language_is_chosen_once(qtbot, workspace) -> None:
    qtbot.keyClicks(workspace._page, "Teh sea")
    workspace._spelling.choose("en")
    assert workspace._settings.value("write/spelling", "") == "en"
    assert [a.text() for a in workspace._spelling._group.actions() if a.isChecked()] == [
        "English (US)"
    ]
    workspace._spelling.choose("no such language")
    assert marked(workspace) == []


def test_mending_a_word_of_a_suggestion_makes_it_ones_own(qtbot, engine, workspace) -> None:
    workspace._spelling.choose("en")
    qtbot.keyClicks(workspace._ask_box.prompt, "one teh three")
    qtbot.keyClick(workspace._ask_box.prompt, Qt.Key.Key_Return, CONTROL)
    qtbot.waitUntil(lambda: bool(engine.jobs) and not engine.busy)
    qtbot.waitUntil(lambda: not workspace._writing.running)
    workspace._page.moveCursor(QTextCursor.MoveOperation.Start)
    qtbot.keyClick(workspace._page, Qt.Key.Key_F7)
    choose(qtbot, menu(qtbot), "the")
    assert workspace._page.toPlainText() == "one the three"
    assert workspace._page.suggestion == ""
