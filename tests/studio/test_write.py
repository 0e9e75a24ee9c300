"""The Write workspace, used with mouse and keyboard, on a real engine with a small real task."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import docx
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QListWidget, QPushButton, QToolButton
from pytestqt.qtbot import QtBot
from writing_task import Echo

from engine import library
from engine.worker import Engine, JobState
from studio.drafts import SAVE_AFTER
from studio.settings import Settings
from studio.workspaces.write import WriteWorkspace

CONTROL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def open_workspace(qtbot: QtBot, engine: Engine) -> Iterator[Callable[..., WriteWorkspace]]:
    opened = []

    def open_one(writes: type = Echo) -> WriteWorkspace:
        workspace = WriteWorkspace(engine, Settings(), writes)
        qtbot.addWidget(workspace)
        workspace.resize(1000, 640)
        with qtbot.waitActive(workspace):
            workspace.show()
            workspace.activateWindow()
        opened.append(workspace)
        return workspace

    yield open_one
    for workspace in opened:
        workspace.close()


@pytest.fixture
def workspace(open_workspace) -> WriteWorkspace:
    return open_workspace()


def ask(qtbot: QtBot, workspace: WriteWorkspace, prompt: str, **values: object) -> None:
    workspace.form.set_values(values)
    box = workspace._ask_box.prompt
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, prompt)
    qtbot.keyClick(box, Qt.Key.Key_Return, CONTROL)


def press(qtbot: QtBot, workspace: WriteWorkspace, text: str) -> None:
    buttons = workspace.findChildren(QPushButton) + workspace.findChildren(QToolButton)
    shown = [b for b in buttons if b.isVisible() and text in (b.text(), b.accessibleName())]
    assert len(shown) == 1, f"{text}: {[b.text() for b in buttons if b.isVisible()]}"
    qtbot.mouseClick(shown[0], Qt.MouseButton.LeftButton)


def text(workspace: WriteWorkspace) -> str:
    return workspace._page.toPlainText()


def wait_until_written(qtbot: QtBot, engine: Engine) -> None:
    qtbot.waitUntil(lambda: bool(engine.jobs) and not engine.busy)


def test_an_answer_grows_under_the_paragraph_and_is_kept(qtbot, engine, workspace) -> None:
    qtbot.keyClicks(workspace._page, "Mine.")
    ask(qtbot, workspace, "one two three")
    wait_until_written(qtbot, engine)
    assert text(workspace) == "Mine.\n\none two three"
    assert "3 new words" in workspace._bar.status()
    assert engine.jobs[0].task.apply_chat_template
    press(qtbot, workspace, "Keep")
    assert workspace._page.suggestion == ""
    qtbot.keyClick(workspace._page, Qt.Key.Key_Z, CONTROL)
    assert text(workspace) == "Mine."


def test_stop_keeps_what_is_there(qtbot, engine, workspace) -> None:
    ask(qtbot, workspace, "la", times=1000, pause=0.01)
    qtbot.waitUntil(lambda: len(workspace._page.suggestion) > 20)
    assert "tokens/s" in workspace._bar.status() or "Writing" in workspace._bar.status()
    press(qtbot, workspace, "Stop")
    there = text(workspace)
    wait_until_written(qtbot, engine)
    qtbot.wait(100)
    assert engine.jobs[0].state is JobState.CANCELLED
    assert text(workspace) == there and there.startswith("la la la")
    assert workspace._page.suggestion == there
    press(qtbot, workspace, "Discard")
    assert text(workspace) == ""


def test_escape_stops_first_and_discards_then(qtbot, engine, workspace) -> None:
    ask(qtbot, workspace, "la", times=1000, pause=0.01)
    qtbot.waitUntil(lambda: len(workspace._page.suggestion) > 20)
    qtbot.keyClick(workspace._ask_box.prompt, Qt.Key.Key_Escape)
    assert not workspace._writing.running and text(workspace)
    qtbot.keyClick(workspace._ask_box.prompt, Qt.Key.Key_Escape)
    assert text(workspace) == ""


def test_undo_while_it_is_written_stops_the_model_too(qtbot, engine, workspace) -> None:
    qtbot.keyClicks(workspace._page, "Mine.")
    ask(qtbot, workspace, "la", times=1000, pause=0.01)
    qtbot.waitUntil(lambda: len(workspace._page.suggestion) > 20)
    qtbot.keyClick(workspace._page, Qt.Key.Key_Z, CONTROL)
    wait_until_written(qtbot, engine)
    assert engine.jobs[0].state is JobState.CANCELLED
    assert text(workspace) == "Mine."


def test_keys_do_not_start_a_second_text_while_one_is_written(qtbot, engine, workspace) -> None:
    ask(qtbot, workspace, "la", times=1000, pause=0.01)
    qtbot.waitUntil(lambda: len(workspace._page.suggestion) > 20)
    qtbot.keyClick(workspace._page, Qt.Key.Key_Return, CONTROL | SHIFT)
    qtbot.keyClick(workspace._page, Qt.Key.Key_Return, CONTROL)
    assert len(engine.jobs) == 1 and workspace._writing.running
    qtbot.keyClick(workspace._page, Qt.Key.Key_Return, Qt.KeyboardModifier.AltModifier)
    wait_until_written(qtbot, engine)
    assert engine.jobs[0].state is JobState.CANCELLED
    assert workspace._page.suggestion == "" and text(workspace).startswith("la la")


def test_continue_goes_on_from_the_cursor(qtbot, engine, workspace) -> None:
    qtbot.keyClicks(workspace._page, "Once upon a time")
    press(qtbot, workspace, "Continue")
    wait_until_written(qtbot, engine)
    assert text(workspace) == "Once upon a time Once upon a time"
    assert not engine.jobs[0].task.apply_chat_template
    assert engine.jobs[0].task.prompt == "Once upon a time"


def test_continue_on_an_empty_page_says_what_is_missing(qtbot, engine, workspace) -> None:
    qtbot.keyClick(workspace._page, Qt.Key.Key_Return, CONTROL | SHIFT)
    assert engine.jobs == []
    assert "no text before the cursor" in error_text(workspace)


def test_an_empty_prompt_says_so_in_place(qtbot, engine, workspace) -> None:
    press(qtbot, workspace, "Write")
    assert engine.jobs == []
    assert "Prompt is empty" in error_text(workspace)
    assert workspace._ask_box.prompt.hasFocus()


def error_text(workspace: WriteWorkspace) -> str:
    assert workspace._error.isVisible()
    return " ".join(label.text() for label in workspace._error.findChildren(QLabel))


def test_a_failure_keeps_what_came_and_can_be_retried(qtbot, engine, workspace) -> None:
    ask(qtbot, workspace, "one two fail")
    wait_until_written(qtbot, engine)
    assert "The model is broken. Choose another one." in error_text(workspace)
    assert workspace._page.suggestion == "one two"
    press(qtbot, workspace, "Retry")
    qtbot.waitUntil(lambda: len(engine.jobs) == 2 and not engine.busy)
    assert text(workspace).startswith("one two")


def test_again_writes_another_with_a_new_seed_in_the_same_place(qtbot, engine, workspace) -> None:
    ask(qtbot, workspace, "one two")
    wait_until_written(qtbot, engine)
    press(qtbot, workspace, "Again")
    qtbot.waitUntil(lambda: len(engine.jobs) == 2 and not engine.busy)
    first, second = (job.task for job in engine.jobs)
    assert text(workspace) == "one two"
    assert second.prompt == first.prompt and second.seed != first.seed


def test_draw_this_hands_over_the_selection_or_the_answer(qtbot, engine, workspace) -> None:
    drawn: list[str] = []
    workspace.draw_requested.connect(drawn.append)
    ask(qtbot, workspace, "a red fox")
    wait_until_written(qtbot, engine)
    qtbot.keyClick(workspace._page, Qt.Key.Key_D, CONTROL)
    qtbot.keyClick(workspace._page, Qt.Key.Key_A, CONTROL)
    press(qtbot, workspace, "Keep")
    qtbot.keyClick(workspace._page, Qt.Key.Key_Left, CONTROL | SHIFT)
    qtbot.keyClick(workspace._page, Qt.Key.Key_D, CONTROL)
    assert drawn == ["a red fox", "fox"]
    assert text(workspace) == "a red fox", "Ctrl+D deletes nothing"


def test_typing_reaches_the_disk_within_a_second_and_comes_back(
    qtbot, home: Path, workspace, open_workspace
) -> None:
    draft = home / "documents" / "draft.txt"
    QApplication.clipboard().setText("Ünï 🦊\n")
    qtbot.keyClick(workspace._page, Qt.Key.Key_V, CONTROL)
    qtbot.keyClicks(workspace._ask_box.prompt, "half a prompt")
    qtbot.waitUntil(lambda: draft.exists() and "🦊" in draft.read_text("utf-8"))
    qtbot.waitUntil((home / "documents" / "prompt.txt").exists)
    assert SAVE_AFTER <= 500, "milliseconds; the rest of the second is for a slow disk"
    again = open_workspace()
    assert text(again) == text(workspace)
    assert again._ask_box.prompt.toPlainText() == "half a prompt"


def test_closing_writes_what_is_not_written_yet(qtbot, home: Path, workspace) -> None:
    qtbot.keyClicks(workspace._page, "last words")
    workspace.close()
    assert (home / "documents" / "draft.txt").read_text("utf-8") == "last words"


def test_parameters_come_back(qtbot, home: Path, engine) -> None:
    settings = Settings()
    first = WriteWorkspace(engine, settings, Echo)
    qtbot.addWidget(first)
    first.form.set_values({"times": 7})
    second = WriteWorkspace(engine, settings, Echo)
    qtbot.addWidget(second)
    assert second.form.values()["times"] == 7
    for workspace in (first, second):
        workspace.close()


def test_a_draft_that_cannot_be_saved_says_so_and_is_kept(qtbot, home: Path, workspace) -> None:
    (home / "documents").write_text("a file where the folder should be")
    qtbot.keyClicks(workspace._page, "words")
    qtbot.waitUntil(workspace._error.isVisible, timeout=2000)
    assert str(home / "documents" / "draft.txt") in error_text(workspace)
    (home / "documents").unlink()
    press(qtbot, workspace, "Retry")
    qtbot.waitUntil((home / "documents" / "draft.txt").exists, timeout=2000)


def test_an_unreadable_draft_is_left_alone(qtbot, home: Path, open_workspace) -> None:
    (home / "documents" / "draft.txt").mkdir(parents=True)
    workspace = open_workspace()
    assert "could not be read" in error_text(workspace)
    qtbot.keyClicks(workspace._page, "new words")
    workspace.close()
    assert (home / "documents" / "draft.txt").is_dir()
    assert (home / "documents" / "draft-2.txt").read_text("utf-8") == "new words"


def test_what_of_a_long_text_continue_reads_is_told(qtbot, engine, workspace) -> None:
    workspace._page.set_text(" ".join(f"word{number:04}" for number in range(2000)))
    qtbot.keyClick(workspace._page, Qt.Key.Key_Home, CONTROL)
    qtbot.waitUntil(lambda: workspace._bar.status() == "2,000 words", timeout=5000)
    qtbot.keyClick(workspace._page, Qt.Key.Key_End, CONTROL)
    told = "2,000 words · Continue reads the last 666 before the cursor"
    qtbot.waitUntil(lambda: workspace._bar.status() == told, timeout=5000)
    workspace.write_on()
    wait_until_written(qtbot, engine)
    prompt = engine.jobs[0].task.prompt.split()
    assert (len(prompt), prompt[0], prompt[-1]) == (666, "word1334", "word1999")


def test_of_a_script_whose_characters_are_tokens_continue_reads_fewer(
    qtbot, engine, workspace
) -> None:
    workspace._page.set_text(" ".join(f"كلمة{number:04}" for number in range(2000)))
    qtbot.keyClick(workspace._page, Qt.Key.Key_End, CONTROL)
    workspace.write_on()
    wait_until_written(qtbot, engine)
    prompt = engine.jobs[0].task.prompt.split()
    assert len(prompt) == 6000 // (4 * 4 + 4 + 1) and prompt[-1] == "كلمة1999"
    assert engine.jobs[0].task.reads_end


def test_a_million_characters_are_pasted_kept_and_taken_back(
    qtbot, engine, home: Path, workspace
) -> None:
    pasted = ("word " * 199 + "end 🦊\n") * 1000  # paragraphs, as texts have
    QApplication.clipboard().setText(pasted)
    qtbot.keyClick(workspace._page, Qt.Key.Key_V, CONTROL)
    assert workspace._page.toPlainText() == pasted
    draft = home / "documents" / "draft.txt"
    qtbot.waitUntil(lambda: draft.exists() and draft.read_text("utf-8") == pasted, timeout=10_000)
    workspace.write_on()
    wait_until_written(qtbot, engine)
    assert len(engine.jobs[0].task.prompt) <= 6000 and workspace._page.suggestion
    workspace.step_back()
    assert workspace._page.toPlainText() == pasted
    qtbot.keyClick(workspace._page, Qt.Key.Key_Z, CONTROL)
    assert workspace._page.toPlainText() == ""


def test_copy_and_export(qtbot, home: Path, workspace) -> None:
    qtbot.keyClicks(workspace._page, "All of it.")
    qtbot.keyClick(workspace._page, Qt.Key.Key_C, CONTROL | SHIFT)
    assert QApplication.clipboard().text() == "All of it."
    workspace.sharing.export_to(home / "out.md")
    assert (home / "out.md").read_text("utf-8") == "All of it."
    workspace.sharing.export_to(home / "out.docx")
    assert docx.Document(str(home / "out.docx")).paragraphs[0].text == "All of it."
    workspace.sharing.export_to(home / "out.md" / "below-a-file.txt")
    assert "below-a-file.txt" in error_text(workspace)


def test_without_the_starter_pack_one_action_is_offered(qtbot, home, engine, open_workspace):
    from engine.generators.text_generation import TextGeneration

    workspace = open_workspace(TextGeneration)
    notice = workspace._notice
    assert notice.isVisible()
    words = " ".join(label.text() for label in notice.findChildren(QLabel))
    assert "SmolLM2-135M-Instruct (93 MB, Apache-2.0), once" in words
    ask(qtbot, workspace, "Write about the sea.")
    assert engine.jobs == []
    assert workspace.focusWidget() in notice.findChildren(QPushButton)
    pack = home / "models" / f"{library.STARTER_TEXT_MODEL}.gguf"
    pack.parent.mkdir()
    pack.write_bytes(b"GGUF")
    workspace._pack.fetched.emit()
    assert not notice.isVisible()


def test_every_control_has_a_tooltip_and_a_name(workspace) -> None:
    for button in workspace.findChildren(QPushButton) + workspace.findChildren(QToolButton):
        if button.objectName().startswith(("qt_", "ScrollLeft", "ScrollRight")):
            continue
        assert button.toolTip() or button.accessibleName(), button


def test_earlier_prompts_come_back(qtbot, engine, workspace) -> None:
    for prompt in ("first", "second"):
        ask(qtbot, workspace, prompt)
        wait_until_written(qtbot, engine)
    box = workspace._ask_box.prompt
    for expected in ("second", "first"):
        qtbot.keyClick(box, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
        assert box.toPlainText() == expected


def test_a_text_that_is_mended_in_the_end_is_still_one_step_of_undo(
    qtbot, engine, workspace
) -> None:
    qtbot.keyClicks(workspace._page, "Mine.")
    ask(qtbot, workspace, "one two two", mended="one two")
    wait_until_written(qtbot, engine)
    qtbot.waitUntil(lambda: text(workspace) == "Mine.\n\none two")
    assert workspace._page.suggestion == "one two" == workspace._writing.answer.strip()
    press(qtbot, workspace, "Keep")
    qtbot.keyClick(workspace._page, Qt.Key.Key_Z, CONTROL)
    assert text(workspace) == "Mine."


def texts(workspace: WriteWorkspace) -> list[str]:
    return workspace._shelf.list.titles()


def test_there_are_many_texts_and_each_is_found_again(qtbot, open_workspace, workspace) -> None:
    qtbot.keyClicks(workspace._page, "# About boats")
    qtbot.keyClick(workspace._page, Qt.Key.Key_N, CONTROL)
    assert text(workspace) == ""
    qtbot.keyClicks(workspace._page, "About trains")
    qtbot.waitUntil(lambda: sorted(texts(workspace)) == ["About boats", "About trains"])
    qtbot.keyClick(workspace._page, Qt.Key.Key_F, CONTROL)
    qtbot.keyClicks(workspace._shelf.list.search, "BOATS")
    assert texts(workspace) == ["About boats"]
    rows = workspace._shelf.list.findChild(QListWidget)
    place = rows.visualItemRect(rows.item(0)).center()
    qtbot.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert text(workspace) == "# About boats"
    qtbot.keyClick(workspace._page, Qt.Key.Key_Z, CONTROL)
    assert text(workspace) == "# About boats"  # what came from the file is no step of undo


def test_the_text_of_the_last_session_is_open_again(qtbot, engine, home) -> None:
    settings = Settings()
    for words in ("first", "second"):
        workspace = WriteWorkspace(engine, settings, Echo)
        qtbot.addWidget(workspace)
        workspace._shelf.begin()
        workspace._page.insertPlainText(words)
        workspace.close()
    again = WriteWorkspace(engine, settings, Echo)
    qtbot.addWidget(again)
    assert text(again) == "second" and sorted(texts(again)) == ["first", "second"]
    again.close()


def test_opening_a_text_writes_none(qtbot, home, open_workspace) -> None:
    documents = home / "documents"
    documents.mkdir(parents=True)
    for number in (1, 2):
        (documents / f"text-{number}.md").write_bytes(b"one\r\ntwo \xff")
    before = {path: path.stat().st_mtime_ns for path in documents.glob("*.md")}
    workspace = open_workspace()
    for path in before:
        workspace._shelf.open_document(path)
        qtbot.wait(50)
    workspace.close()
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert [path.read_bytes() for path in before] == [b"one\r\ntwo \xff"] * 2


def test_a_text_that_is_being_written_stops_when_another_is_opened(
    qtbot, engine, workspace
) -> None:
    qtbot.keyClicks(workspace._page, "Mine.")
    ask(qtbot, workspace, "la", times=1000, pause=0.01)
    qtbot.waitUntil(lambda: len(workspace._page.suggestion) > 20)
    qtbot.keyClick(workspace._page, Qt.Key.Key_N, CONTROL)
    wait_until_written(qtbot, engine)
    assert engine.jobs[0].state is JobState.CANCELLED
    qtbot.wait(100)
    assert text(workspace) == ""
    qtbot.waitUntil(lambda: "Mine." in texts(workspace))


def test_a_text_goes_to_the_trash(qtbot, workspace, home) -> None:
    qtbot.keyClicks(workspace._page, "About boats")
    qtbot.waitUntil(lambda: texts(workspace) == ["About boats"])
    press(qtbot, workspace, "Move this text to the trash")
    assert texts(workspace) == [] and text(workspace) == ""
    assert not (home / "documents" / "draft.txt").exists()
