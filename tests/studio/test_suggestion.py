"""A suggestion in the page: one step of undo, whatever a person types meanwhile."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QTextCursor
from pytestqt.qtbot import QtBot

from studio.widgets.page import Page

CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def page(qtbot: QtBot) -> Page:
    page = Page()
    qtbot.addWidget(page)
    page.resize(500, 300)
    page.show()
    page.setFocus()
    return page


def put_cursor(page: Page, position: int) -> None:
    cursor = page.textCursor()
    cursor.setPosition(position)
    page.setTextCursor(cursor)


def test_it_grows_in_a_paragraph_of_its_own_and_undo_takes_it_whole(qtbot, page) -> None:
    qtbot.keyClicks(page, "One.")
    page.begin_suggestion(new_paragraph=True)
    for word in (" Two", " three", " four."):
        page.append(word)
    assert page.toPlainText() == "One.\n\nTwo three four."
    page.keep()
    qtbot.keyClick(page, Qt.Key.Key_Z, CONTROL)
    assert page.toPlainText() == "One."
    qtbot.keyClick(page, Qt.Key.Key_Z, CONTROL)
    assert page.toPlainText() == ""


def test_typing_elsewhere_while_it_grows_is_not_disturbed(qtbot, page) -> None:
    page.set_text("First.\n\nLast.")
    put_cursor(page, 6)
    page.begin_suggestion(new_paragraph=True)
    page.append("Aa")
    qtbot.keyClicks(page, " More")
    page.append(" bb")
    assert page.textCursor().position() == len("First. More")
    qtbot.keyClick(page, Qt.Key.Key_End, CONTROL)
    qtbot.keyClicks(page, " End.")
    page.append(" cc")
    page.finish_suggestion()
    assert page.toPlainText() == "First. More\n\nAa bb cc\n\nLast. End."
    page.keep()
    qtbot.keyClick(page, Qt.Key.Key_Z, CONTROL)
    assert page.toPlainText() == "First. More\n\nLast. End.", "undo takes the model's text, whole"
    qtbot.keyClick(page, Qt.Key.Key_Z, CONTROL)
    assert page.toPlainText() == "First. More\n\nLast."


def test_undo_before_it_is_kept_discards_it_and_redo_brings_it_back(qtbot, page) -> None:
    page.set_text("Text.")
    page.begin_suggestion(new_paragraph=True)
    page.append("More.")
    with qtbot.waitSignal(page.suggestion_ended) as ended:
        qtbot.keyClick(page, Qt.Key.Key_Z, CONTROL)
    assert ended.args == [False]
    assert page.toPlainText() == "Text."
    qtbot.keyClick(page, Qt.Key.Key_Z, CONTROL | Qt.KeyboardModifier.ShiftModifier)
    assert page.toPlainText() == "Text.\n\nMore."


def test_the_context_menus_undo_discards_it_too(qtbot, page) -> None:
    page.set_text("Text.")
    page.begin_suggestion(new_paragraph=True)
    page.append("More.")
    with qtbot.waitSignal(page.suggestion_ended) as ended:
        page.undo()
    assert ended.args == [False] and page.toPlainText() == "Text."
    page.append("late")
    assert page.toPlainText() == "Text.", "what arrives afterwards has no place any more"


def test_whoever_edits_it_has_kept_it_and_the_rest_follows(qtbot, page) -> None:
    page.begin_suggestion(new_paragraph=True)
    page.append("one two")
    put_cursor(page, 3)
    qtbot.keyClicks(page, ",")
    page.append(" three")
    assert page.toPlainText() == "one, two three"
    page.discard()
    assert page.toPlainText() == "one, two"


def test_it_goes_on_from_the_cursor_without_a_second_space(qtbot, page) -> None:
    page.set_text("Once upon a  and after.")
    put_cursor(page, len("Once upon a "))
    page.begin_suggestion(new_paragraph=False)
    page.append(" time")
    assert page.toPlainText() == "Once upon a time and after."
    page.keep()
    qtbot.keyClicks(page, "!")
    assert page.toPlainText() == "Once upon a time! and after."


def test_pasting_elsewhere_keeps_it_on_top_of_undo(qtbot, page) -> None:
    page.set_text("Text.")
    page.begin_suggestion(new_paragraph=True)
    page.append("More.")
    put_cursor(page, 0)
    pasted = QMimeData()
    pasted.setText("Pasted. ")
    page.insertFromMimeData(pasted)
    page.append(" And more.")
    page.keep()
    page.undo()
    assert page.toPlainText() == "Pasted. Text."


def test_another_takes_its_place(page) -> None:
    page.set_text("Before.\n\nAfter.")
    put_cursor(page, 3)
    page.begin_suggestion(new_paragraph=True)
    page.append("First.")
    page.finish_suggestion()
    put_cursor(page, 0)
    page.replace_suggestion()
    page.append("Second.")
    assert page.toPlainText() == "Before.\n\nSecond.\n\nAfter."


def test_the_view_follows_only_from_the_end(qtbot, page) -> None:
    page.set_text("\n".join("line" for _ in range(40)))
    bar = page.verticalScrollBar()
    put_cursor(page, 0)
    bar.setValue(0)
    page.begin_suggestion(new_paragraph=True)
    page.append("words\n" * 40)
    assert bar.value() == 0
    page.discard()
    page.moveCursor(QTextCursor.MoveOperation.End)
    page.begin_suggestion(new_paragraph=True)
    page.append("words\n" * 10)
    assert bar.value() >= bar.maximum() - 40
    bar.setValue(0)
    page.append("words\n" * 10)
    assert bar.value() == 0, "who scrolls away is left alone"


def test_characters_beyond_the_first_plane_do_not_shift_the_cursor(page) -> None:
    page.set_text("🦊🦊 runs")
    put_cursor(page, 4)
    assert page.text_before_cursor() == "🦊🦊"


@settings(max_examples=60)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("append"), st.sampled_from([" a", " b\n", "c"])),
            st.tuples(st.just("type"), st.integers(0, 7)),
            st.tuples(st.just("erase"), st.integers(0, 7)),
        ),
        max_size=12,
    )
)
def test_undo_after_any_interleaving_leaves_exactly_the_persons_text(qapp, steps) -> None:
    page = Page()
    page.set_text("Before. After.")
    put_cursor(page, 7)
    page.begin_suggestion(new_paragraph=False)
    mine = page.toPlainText()
    answer = ""
    for deed, what in steps:
        if deed == "append":
            page.append(what)
            answer += what
            continue
        put_cursor(page, min(what, page._suggestion.position))
        before = page.text_before_cursor()
        rest = mine[len(before) :]
        if deed == "type":
            page.keyPressEvent(key("x"))
            mine = before + "x" + rest
        else:
            page.keyPressEvent(key("", Qt.Key.Key_Backspace))
            mine = before[:-1] + rest
    shown = page.toPlainText()
    assert shown.replace(page.suggestion, "", 1) == mine if answer else shown == mine
    page.keep()
    if answer:
        page.undo()
    assert page.toPlainText() == mine


def key(text: str, code: Qt.Key = Qt.Key.Key_X):
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QKeyEvent

    return QKeyEvent(QEvent.Type.KeyPress, code, Qt.KeyboardModifier.NoModifier, text)
