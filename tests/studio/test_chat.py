"""The Chat workspace, used with mouse and keyboard, on a real engine with a small real task."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from answering_task import Parrot
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QListWidget, QPushButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from engine.worker import Engine, JobState
from studio import chats
from studio.settings import Settings
from studio.widgets.message_view import MessageView
from studio.workspaces.chat import ChatWorkspace

CONTROL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def open_workspace(qtbot: QtBot, engine: Engine) -> Iterator[Callable[[], ChatWorkspace]]:
    opened = []
    settings = Settings()

    def open_one() -> ChatWorkspace:
        workspace = ChatWorkspace(engine, settings, Parrot)
        qtbot.addWidget(workspace)
        workspace.resize(1100, 680)
        with qtbot.waitActive(workspace):
            workspace.show()
            workspace.activateWindow()
        opened.append(workspace)
        return workspace

    yield open_one
    for workspace in opened:
        workspace.close()


@pytest.fixture
def workspace(open_workspace) -> ChatWorkspace:
    return open_workspace()


def views(workspace: ChatWorkspace) -> list[MessageView]:
    return workspace._desk.view.views()


def said(workspace: ChatWorkspace) -> list[str]:
    return [view.message.text.strip() for view in views(workspace)]


def say(qtbot: QtBot, workspace: ChatWorkspace, text: str, wait: bool = True) -> None:
    box = workspace._desk.box.prompt
    box.setFocus()
    qtbot.keyClicks(box, text)
    qtbot.keyClick(box, Qt.Key.Key_Return)
    if wait:
        qtbot.waitUntil(lambda: not workspace._answering.running)


def press(qtbot: QtBot, inside: QWidget, name: str) -> None:
    buttons = inside.findChildren(QPushButton) + inside.findChildren(QToolButton)
    named = [b for b in buttons if name in (b.text(), b.accessibleName())]
    qtbot.waitUntil(lambda: [b.isVisible() for b in named].count(True) == 1)
    shown = [b for b in named if b.isVisible()]
    qtbot.mouseClick(shown[0], Qt.MouseButton.LeftButton)


def wait_until_answered(qtbot: QtBot, workspace: ChatWorkspace) -> None:
    qtbot.waitUntil(lambda: not workspace._answering.running)


def test_enter_sends_and_what_was_said_before_goes_along(qtbot, engine, workspace) -> None:
    assert workspace._desk.empty.isVisible()
    say(qtbot, workspace, "hello there")
    say(qtbot, workspace, "and again")
    assert said(workspace) == ["hello there", "0: hello there", "and again", "2: and again"]
    qtbot.waitUntil(lambda: views(workspace)[3].text() == "2: and again")
    history = json.loads(engine.jobs[1].task.history)
    assert [each["role"] for each in history] == ["user", "assistant"]
    assert "102 of 1,000 tokens" in workspace._desk.meter.text()


def test_shift_enter_begins_another_line(qtbot, workspace) -> None:
    box = workspace._desk.box.prompt
    qtbot.keyClicks(box, "one")
    qtbot.keyClick(box, Qt.Key.Key_Return, SHIFT)
    qtbot.keyClicks(box, "two")
    assert box.toPlainText() == "one\ntwo" and said(workspace) == []


def test_nothing_is_sent_from_an_empty_box(qtbot, engine, workspace) -> None:
    say(qtbot, workspace, "  ")
    assert engine.jobs == [] and said(workspace) == []


def test_an_answer_given_again_stands_beside_the_old_one(qtbot, workspace) -> None:
    say(qtbot, workspace, "hello")
    workspace._form.set_values({"times": 2})
    press(qtbot, views(workspace)[1], "Answer again")
    wait_until_answered(qtbot, workspace)
    assert said(workspace) == ["hello", "0: hello hello"]
    press(qtbot, views(workspace)[1], "The text before this one")
    assert said(workspace) == ["hello", "0: hello"]
    press(qtbot, views(workspace)[1], "The text after this one")
    assert said(workspace) == ["hello", "0: hello hello"]


def test_an_edited_question_is_asked_and_the_old_one_kept(qtbot, workspace) -> None:
    say(qtbot, workspace, "helo")
    say(qtbot, workspace, "more")
    press(qtbot, views(workspace)[0], "Edit this message")
    editor = views(workspace)[0]._editor
    editor.selectAll()
    qtbot.keyClicks(editor, "hello")
    qtbot.keyClick(editor, Qt.Key.Key_Return, CONTROL)
    wait_until_answered(qtbot, workspace)
    assert said(workspace) == ["hello", "0: hello"]
    press(qtbot, views(workspace)[0], "The text before this one")
    assert said(workspace) == ["helo", "0: helo", "more", "2: more"]


def test_an_edited_answer_is_what_the_model_reads_next(qtbot, engine, workspace) -> None:
    say(qtbot, workspace, "hello")
    press(qtbot, views(workspace)[1], "Edit this message")
    editor = views(workspace)[1]._editor
    editor.selectAll()
    qtbot.keyClicks(editor, "Good day")
    press(qtbot, views(workspace)[1], "Keep")
    say(qtbot, workspace, "next")
    assert said(workspace)[1] == "Good day"
    assert json.loads(engine.jobs[-1].task.history)[1]["content"] == "Good day"


def test_escape_leaves_a_message_as_it_was(qtbot, workspace) -> None:
    say(qtbot, workspace, "hello")
    press(qtbot, views(workspace)[0], "Edit this message")
    qtbot.keyClicks(views(workspace)[0]._editor, "more")
    qtbot.keyClick(views(workspace)[0]._editor, Qt.Key.Key_Escape)
    assert said(workspace) == ["hello", "0: hello"]
    assert views(workspace)[0]._editor is None


def test_a_deleted_message_comes_back_with_undo(qtbot, workspace) -> None:
    say(qtbot, workspace, "one")
    say(qtbot, workspace, "two")
    before = said(workspace)
    press(qtbot, views(workspace)[2], "Delete this message and what follows")
    assert said(workspace) == before[:2]
    workspace._desk.view.setFocus()
    qtbot.keyClick(workspace._desk.view, Qt.Key.Key_Z, CONTROL)
    assert said(workspace) == before
    qtbot.keyClick(workspace._desk.view, Qt.Key.Key_Z, CONTROL | SHIFT)
    assert said(workspace) == before[:2]


def test_question_and_answer_are_one_step_of_undo(qtbot, workspace) -> None:
    say(qtbot, workspace, "one")
    workspace.undo()
    assert said(workspace) == []


def test_stop_keeps_what_is_there(qtbot, engine, workspace) -> None:
    workspace._form.set_values({"times": 1000, "pause": 0.01})
    say(qtbot, workspace, "la", wait=False)
    qtbot.waitUntil(lambda: len(said(workspace)) == 2 and len(said(workspace)[1]) > 20)
    qtbot.keyClick(workspace._desk.box.prompt, Qt.Key.Key_Escape)
    there = said(workspace)[1]
    qtbot.waitUntil(lambda: not engine.busy)
    assert engine.jobs[0].state is JobState.CANCELLED
    assert said(workspace)[1] == there and there.startswith("0: la la")


def test_a_failure_says_why_and_gives_the_words_back(qtbot, workspace) -> None:
    say(qtbot, workspace, "fail")
    assert workspace._desk.error.isVisible()
    assert "The model is broken." in workspace._desk.error.details()
    qtbot.waitUntil(lambda: said(workspace) in ([], ["fail", "0:"]))
    assert workspace._desk.box.prompt.toPlainText() == "fail"


def test_a_branch_is_a_chat_of_its_own(qtbot, workspace) -> None:
    say(qtbot, workspace, "one")
    say(qtbot, workspace, "two")
    press(qtbot, views(workspace)[1], "Go on from here in a chat of its own")
    assert said(workspace) == ["one", "0: one"]
    say(qtbot, workspace, "three")
    qtbot.waitUntil(lambda: len(workspace._list.titles()) == 2)
    logs = [chats.open_log(entry.path).shown() for entry in chats.index().entries()]
    assert sorted(len(shown) for shown in logs) == [4, 4]


def test_chats_are_listed_found_and_opened_again(qtbot, open_workspace, workspace) -> None:
    say(qtbot, workspace, "about boats")
    qtbot.keyClick(workspace._desk.box.prompt, Qt.Key.Key_N, CONTROL)
    say(qtbot, workspace, "about trains")
    qtbot.waitUntil(lambda: len(workspace._list.titles()) == 2)
    qtbot.keyClick(workspace._desk.box.prompt, Qt.Key.Key_F, CONTROL)
    qtbot.keyClicks(workspace._list.search, "BOATS 0:")
    assert workspace._list.titles() == ["about boats"]
    rows = workspace._list.findChild(QListWidget)
    qtbot.mouseClick(
        rows.viewport(), Qt.MouseButton.LeftButton, pos=rows.visualItemRect(rows.item(0)).center()
    )
    assert said(workspace) == ["about boats", "0: about boats"]
    workspace.close()
    assert said(open_workspace()) == ["about boats", "0: about boats"]


def test_a_chat_goes_to_the_trash(qtbot, workspace) -> None:
    say(qtbot, workspace, "about boats")
    qtbot.waitUntil(lambda: workspace._list.titles() == ["about boats"])
    press(qtbot, workspace._list, "Move this chat to the trash")
    assert workspace._list.titles() == [] and said(workspace) == []
    assert list(chats.folder().glob("*.json")) == []


def test_a_broken_chat_is_left_out_and_left_alone(qtbot, open_workspace) -> None:
    chats.folder().mkdir(parents=True)
    broken = chats.folder() / "broken.json"
    broken.write_text('{"messages": [')
    workspace = open_workspace()
    say(qtbot, workspace, "hello")
    qtbot.waitUntil(lambda: workspace._list.titles() == ["hello"])
    assert broken.read_text() == '{"messages": ['


def test_what_found_no_room_is_told(qtbot, workspace) -> None:
    for word in ("one", "two", "three", "four"):
        say(qtbot, workspace, word)
    assert workspace._desk.view._line.isVisible()
    rows = workspace._desk.view._rows
    assert rows.indexOf(workspace._desk.view._line) == 2


def test_markdown_is_shown_and_a_picture_in_it_loads_nothing(qtbot, workspace) -> None:
    say(qtbot, workspace, "**bold** ![x](file:///etc/hostname) <b>raw</b>")
    view = views(workspace)[0]
    assert "bold" in view.text() and "**" not in view.text()
    assert "<b>raw</b>" in view.text()
    press(qtbot, view, "Copy this message")
    assert QGuiApplication.clipboard().text().startswith("**bold**")


def test_export_writes_what_is_shown(qtbot, workspace, tmp_path) -> None:
    say(qtbot, workspace, "hello")
    workspace.export_to(tmp_path / "chat.md")
    told = (tmp_path / "chat.md").read_text("utf-8")
    assert told == "**You**\n\nhello\n\n**Model**\n\n0: hello\n"


def test_no_line_of_a_message_is_cut_off(qtbot, workspace) -> None:
    say(qtbot, workspace, "many words " * 40)
    for view in views(workspace):
        text = view._text
        qtbot.waitUntil(
            lambda text=text: text.viewport().height() >= text.document().size().height()
        )


def test_an_answer_that_is_mended_in_the_end_stands_so(qtbot, workspace) -> None:
    workspace._form.set_values({"mended": "once"})
    say(qtbot, workspace, "again again")
    assert said(workspace) == ["again again", "once"]


def test_answering_from_files_asks_for_the_model_that_finds_passages(
    qtbot, engine, workspace, tmp_path
) -> None:
    assert not workspace._desk.files_notice.isVisible()
    workspace._form.set_values({"documents": str(tmp_path)})
    assert workspace._desk.files_notice.isVisible() and not workspace._desk.notice.isVisible()
    say(qtbot, workspace, "hello")
    assert engine.jobs == [] and workspace._desk.box.prompt.toPlainText() == "hello"
    workspace._files_pack.chosen.emit(str(tmp_path))
    assert workspace._form.values()["embedding_model"] == str(tmp_path)
    assert not workspace._desk.files_notice.isVisible()
    qtbot.keyClick(workspace._desk.box.prompt, Qt.Key.Key_Return)
    wait_until_answered(qtbot, workspace)
    assert said(workspace) == ["hello", "0: hello"]
