"""Why this word? In the Write workspace, with mouse and keyboard, on a real engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from next_tokens_task import Guess
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor
from pytestqt.qtbot import QtBot
from writing_task import Echo

from engine.events import Candidate
from engine.worker import Engine
from studio.settings import Settings
from studio.widgets.word_popup import percent, shown, taken_of
from studio.workspaces.write import WriteWorkspace

CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def workspace(qtbot: QtBot, engine: Engine) -> Iterator[WriteWorkspace]:
    workspace = WriteWorkspace(engine, Settings(), Echo, looks=Guess)
    qtbot.addWidget(workspace)
    workspace.resize(1000, 640)
    with qtbot.waitActive(workspace):
        workspace.show()
        workspace.activateWindow()
    yield workspace
    workspace.close()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Guess]:
    """The tasks that the window made."""
    made: list[Guess] = []
    from_dict = Guess.from_dict

    def noted(values: dict[str, object]) -> Guess:
        made.append(from_dict(values))
        return made[-1]

    monkeypatch.setattr(Guess, "from_dict", noted)
    return made


def click(qtbot: QtBot, workspace: WriteWorkspace, word: str) -> None:
    page = workspace._page
    cursor = page.document().find(word)
    assert not cursor.isNull()
    middle = QTextCursor(cursor)
    middle.setPosition((cursor.selectionStart() + cursor.selectionEnd()) // 2)
    qtbot.mouseClick(
        page.viewport(), Qt.MouseButton.LeftButton, CONTROL, page.cursorRect(middle).center()
    )


def test_a_click_shows_what_the_word_was_chosen_from(qtbot, workspace, asked) -> None:
    qtbot.keyClicks(workspace._page, "one two three")
    click(qtbot, workspace, "two")
    popup = workspace._why._popup
    qtbot.waitUntil(lambda: "two" in popup.words())
    assert popup.words() == ["two", "75\u00a0%", "t", "25\u00a0%", "three", "dropped"]
    assert (
        popup.said()
        == "Chosen with a chance of 75\u00a0%; to the model itself it is 60\u00a0% likely."
    )
    assert (asked[0].prompt, asked[0].written, asked[0].apply_chat_template) == ("one", "", False)
    assert not asked[0].save and workspace._page.toPlainText() == "one two three"


def test_signs_of_two_units_before_it_move_nothing(qtbot, workspace, asked) -> None:
    workspace._page.set_text("🌊🌊 one two three")
    click(qtbot, workspace, "two")
    popup = workspace._why._popup
    qtbot.waitUntil(lambda: "two" in popup.words())
    assert asked[0].prompt == "🌊🌊 one"
    assert popup.said().startswith("Chosen")


def test_the_keyboard_asks_for_the_word_of_the_cursor(qtbot, workspace, asked) -> None:
    qtbot.keyClicks(workspace._page, "one two three.")
    qtbot.keyClick(workspace._page, Qt.Key.Key_Left)
    qtbot.keyClick(workspace._page, Qt.Key.Key_I, CONTROL)
    popup = workspace._why._popup
    qtbot.waitUntil(lambda: "dropped" in popup.words())
    assert popup.said().startswith("With these parameters it would not be chosen")
    assert asked[0].prompt == "one two"


def test_a_word_of_an_answer_is_looked_at_behind_its_question(
    qtbot, engine, workspace, asked
) -> None:
    qtbot.keyClicks(workspace._page, "Mine.")
    qtbot.keyClicks(workspace._ask_box.prompt, "one two three")
    qtbot.keyClick(workspace._ask_box.prompt, Qt.Key.Key_Return, CONTROL)
    qtbot.waitUntil(lambda: bool(engine.jobs) and not engine.busy)
    qtbot.waitUntil(lambda: not workspace._writing.running)
    click(qtbot, workspace, "three")
    qtbot.waitUntil(lambda: bool(asked))
    assert (asked[0].prompt, asked[0].written) == ("one two three", "one two")
    assert asked[0].apply_chat_template
    assert workspace._page.suggestion == "one two three"  # looking keeps nothing


def test_the_first_word_follows_from_nothing(qtbot, workspace, asked) -> None:
    qtbot.keyClicks(workspace._page, "one two")
    click(qtbot, workspace, "one")
    assert asked == [] and workspace._error.isVisible()
    assert "Nothing stands before this word" in workspace._error.details()


def test_a_failure_is_told_on_the_desk(qtbot, workspace) -> None:
    qtbot.keyClicks(workspace._page, "fail two")
    click(qtbot, workspace, "two")
    qtbot.waitUntil(workspace._error.isVisible)
    assert "The model is broken." in workspace._error.details()
    assert not workspace._why._popup.isVisible()


def test_words_for_tokens_and_chances() -> None:
    tokens = [Candidate(text, 0.1, 0.1) for text in (" t", " two", "")]
    assert taken_of(tokens, " two three") is tokens[1]
    assert taken_of(tokens, " one") is None
    assert [shown(text) for text in (" a", "\n", " ", "\t")] == ["a", "⏎", "␣", "⇥"]
    assert [percent(part) for part in (0.5, 0.0312, 0.0004)] == [
        "50\u00a0%",
        "3.1\u00a0%",
        "0.04\u00a0%",
    ]
