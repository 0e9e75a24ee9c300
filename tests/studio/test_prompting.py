"""Styles as chips, weights by key, and the room a prompt has, in the window's own widgets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QDesktopServices, QUndoStack
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from engine import folders
from engine.prompts import styles
from engine.prompts.length import Length
from engine.prompts.styles import Style
from engine.registry import task_class
from studio.canvas.document import Document
from studio.dialogs.styles import StylesDialog
from studio.prompting import Prompting
from studio.widgets.easel import Easel
from studio.widgets.empty_state import EmptyState
from studio.widgets.parameter_form import ParameterForm
from studio.widgets.prompt_edit import PromptEdit
from studio.widgets.style_chips import StyleChips
from studio.widgets.text_positions import from_qt, to_qt

UP, DOWN = Qt.Key.Key_Up, Qt.Key.Key_Down
CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def edit(qtbot: QtBot) -> PromptEdit:
    edit = PromptEdit()
    qtbot.addWidget(edit)
    edit.resize(300, 40)
    edit.show()
    return edit


def put_cursor(edit: PromptEdit, start: int, end: int | None = None) -> None:
    cursor = edit.textCursor()
    cursor.setPosition(start)
    cursor.setPosition(start if end is None else end, cursor.MoveMode.KeepAnchor)
    edit.setTextCursor(cursor)


# ------------------------------------------------------------------ weights


def test_keys_raise_and_lower_the_word_under_the_cursor(qtbot: QtBot, edit: PromptEdit) -> None:
    edit.setPlainText("😀 a red cat")
    put_cursor(edit, 7)
    qtbot.keyClick(edit, UP, CONTROL)
    assert edit.toPlainText() == "😀 a (red:1.1) cat"
    assert edit.textCursor().selectedText() == "red"
    qtbot.keyClick(edit, UP, CONTROL | SHIFT)
    assert edit.toPlainText() == "😀 a (red:1.15) cat"
    for _ in range(2):
        edit.undo()
    assert edit.toPlainText() == "😀 a red cat", "a key press is one step of undo"
    put_cursor(edit, 3, 8)
    for _ in range(2):
        qtbot.keyClick(edit, DOWN, CONTROL)
    assert edit.toPlainText() == "😀 (a red:0.8) cat"
    qtbot.keyClick(edit, DOWN)
    assert edit.toPlainText() == "😀 (a red:0.8) cat"


@given(st.text(max_size=20), st.integers(0, 20))
def test_places_of_qt_and_python_are_the_same_places(text: str, place: int) -> None:
    place = min(place, len(text))
    assert from_qt(text, to_qt(text, place)) == place


# ------------------------------------------------------------------ the room


def counter(edit: PromptEdit) -> QLabel:
    return edit.findChild(QLabel)


def test_what_the_model_will_not_see_is_marked(edit: PromptEdit) -> None:
    edit.setPlainText("😀 seen unseen")
    edit.show_length(Length(used=9, room=7, seen=7))
    assert counter(edit).text() == "9 / 7" and counter(edit).isVisible()
    assert "9 of 7" in counter(edit).toolTip()
    assert edit.childAt(counter(edit).geometry().center()) is counter(edit)
    [mark] = edit.extraSelections()
    assert mark.cursor.selectedText() == "unseen"
    assert not edit.document().isUndoAvailable(), "it is only painted"
    edit.show_length(Length(used=3, room=7, seen=13, exact=False))
    assert counter(edit).text() == "≈ 3 / 7" and edit.extraSelections() == []
    edit.show_length(None)
    assert not counter(edit).isVisible()
    assert edit.viewportMargins().right() == 0


def test_the_counter_does_not_lie_on_the_text(edit: PromptEdit) -> None:
    edit.setPlainText("a " * 200)
    edit.show_length(Length(200, 75, 150))
    label = counter(edit)
    assert label.geometry().left() >= edit.viewport().geometry().right()
    assert edit.rect().contains(label.geometry())


# ------------------------------------------------------------------ styles


@pytest.fixture
def chips(qtbot: QtBot) -> StyleChips:
    chips = StyleChips()
    qtbot.addWidget(chips)
    chips.wanted.connect(chips.set_value)
    offered = [Style("flat", "flat {prompt}"), Style("3d", "3d {prompt}"), Style("R&B <i>", "x")]
    chips.set_styles(offered, ["flat", "3d"])
    return chips


def entry(chips: StyleChips, text: str) -> QAction:
    return next(action for action in chips.button.menu().actions() if action.text() == text)


def shown(chips: StyleChips) -> list[str]:
    return [chip.text() for chip in chips.findChildren(QPushButton) if not chip.isHidden()]


def test_styles_are_chosen_from_the_menu_and_taken_away_by_their_chip(
    qtbot: QtBot, chips: StyleChips
) -> None:
    entry(chips, "flat").trigger()
    entry(chips, "R&&B <i>").trigger()
    assert chips.value() == "flat, R&B <i>"
    entry(chips, "3d").trigger()
    assert chips.value() == "R&B <i>, 3d", "a model draws in one of its own styles"
    assert [a.text() for a in chips.button.menu().actions() if a.isChecked()] == ["3d", "R&&B <i>"]
    assert shown(chips) == ["R&&B <i>", "3d"]
    chip = next(
        c for c in chips.findChildren(QPushButton) if c.text() == "3d" and c.isVisibleTo(chips)
    )
    qtbot.mouseClick(chip, Qt.MouseButton.LeftButton)
    assert chips.value() == "R&B <i>" and shown(chips) == ["R&&B <i>"]


def test_a_style_that_is_not_there_is_shown_as_a_problem(chips: StyleChips) -> None:
    chips.set_value("gone, flat")
    roles = {c.text(): c.property("role") for c in chips.findChildren(QPushButton)}
    assert roles == {"gone": "chip-problem", "flat": "chip"}


def test_monstrous_names_do_not_widen_the_window(qtbot: QtBot, chips: StyleChips) -> None:
    chips.set_value(", ".join(f"{number}{'x' * 10_000}" for number in range(1_000)))
    chips.resize(400, chips.heightForWidth(400))
    chips.show()
    assert chips.minimumSizeHint().width() < 400
    shown = [chip for chip in chips.findChildren(QPushButton) if chip.isVisible()]
    assert 0 < len(shown) <= 12
    assert all(chips.rect().contains(chip.geometry()) for chip in shown)


def test_a_style_from_outside_is_shown_as_it_is_written(chips: StyleChips) -> None:
    evil = '<img src="/etc/hostname">'
    chips.set_styles([Style(evil, evil + " {prompt}")])
    chips.set_value(f"{evil}, <b>gone</b>")
    [action] = [a for a in chips.button.menu().actions() if a.data() == evil]
    shown = [c for c in chips.findChildren(QPushButton) if not c.isHidden()]
    for tip in (action.toolTip(), *(chip.toolTip() for chip in shown)):
        assert "<img" not in tip and "<b>" not in tip
    assert "&lt;img" in action.toolTip()


@pytest.fixture
def ink(home: Path) -> Path:
    """A model with styles of its own, and one without."""
    folder = folders.models() / "ink"
    folder.mkdir(parents=True)
    (folder / "model_index.json").write_text("{}")
    (folder / "styles.json").write_text('["ink", "wash"]')
    (folders.models() / "plain").mkdir()
    (folders.models() / "plain/model_index.json").write_text("{}")
    return folder


@pytest.fixture
def desk(qtbot: QtBot, ink: Path) -> Iterator[tuple[Easel, ParameterForm, QUndoStack, Prompting]]:
    stack = QUndoStack()
    document = Document(QSize(64, 64), stack)
    easel, form = Easel(document), ParameterForm(task_class("text_to_image"))
    for widget in (easel, form):
        qtbot.addWidget(widget)
    yield easel, form, stack, Prompting(form, easel, stack, easel)


def offered(easel: Easel) -> list[str]:
    return [action.data() for action in easel.styles.button.menu().actions() if action.data()]


def test_styles_follow_the_model_and_choosing_one_can_be_undone(desk) -> None:
    easel, form, stack, _ = desk
    form.set_values({"model": "ink"})
    assert offered(easel)[:2] == ["ink", "wash"] and "watercolor" in offered(easel)
    entry(easel.styles, "wash").trigger()
    assert easel.styles.value() == "wash"
    stack.undo()
    assert easel.styles.value() == ""
    stack.redo()
    assert easel.styles.value() == "wash"
    form.set_values({"model": "plain"})
    assert "wash" not in offered(easel) and "watercolor" in offered(easel)
    [chip] = [c for c in easel.styles.findChildren(QPushButton) if not c.isHidden()]
    assert chip.property("role") == "chip-problem", "it is said, not lost"


def test_the_prompt_is_counted_by_the_models_own_tokenizer(qtbot: QtBot, desk) -> None:
    easel, form, _, _ = desk
    form.set_values({"model": "stickers"})
    easel.prompt.setPlainText("a (red:1.3) heart " * 6)
    qtbot.waitUntil(lambda: counter(easel.prompt).text() == "18 / 14")
    [mark] = easel.prompt.extraSelections()
    assert mark.cursor.selectedText() == "heart a (red:1.3) heart "
    easel.prompt.setPlainText("a heart")
    qtbot.waitUntil(lambda: counter(easel.prompt).text() == "2 / 14")
    easel.styles.set_value("flat")
    qtbot.waitUntil(lambda: counter(easel.prompt).text() == "3 / 14")
    easel.prompt.setPlainText("a heart " * 7)
    qtbot.waitUntil(lambda: counter(easel.prompt).text() == "15 / 14")
    assert easel.prompt.extraSelections()[0].cursor.selectedText() == "heart "
    form.set_values({"model": "plain"})
    qtbot.waitUntil(lambda: counter(easel.prompt).isHidden())
    for name in ("stickers", "plain", "stickers"):
        form.set_values({"model": name})
    qtbot.waitUntil(lambda: not counter(easel.prompt).isHidden())
    form.set_values({"model": "plain"})
    form.set_values({"model": "stickers"})
    qtbot.waitUntil(lambda: not counter(easel.prompt).isHidden())


def test_a_file_of_styles_that_cannot_be_read_is_said_in_place(desk, home: Path) -> None:
    easel, form, _, _ = desk
    (home / "styles.json").write_text("{")
    form.set_values({"model": "ink"})
    assert easel.errors.isVisibleTo(easel)
    assert (home / "styles.json").read_text() == "{"


def test_the_folder_of_lists_is_made_and_shown(desk, home: Path, monkeypatch) -> None:
    easel, _, _, _ = desk
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    entry(easel.styles, "Open the folder of wildcard lists").trigger()
    assert opened == [str(home / "wildcards")] and (home / "wildcards").is_dir()
    assert "__animal__" in easel.remark.text


def test_without_styles_the_dialog_says_what_one_is_and_makes_the_first(qtbot: QtBot, home) -> None:
    dialog = StylesDialog()
    qtbot.addWidget(dialog)
    dialog.show()
    nothing, name = dialog.findChild(EmptyState), dialog.findChild(QLineEdit)
    assert nothing.isVisible() and not name.isVisible()
    shown = [b.text() for b in dialog.findChildren(QPushButton) if b.isVisible()]
    assert sorted(shown) == ["Close", "New style"], "one action, said once"
    qtbot.mouseClick(nothing.button, Qt.MouseButton.LeftButton)
    assert not nothing.isVisible() and name.isVisible() and name.isEnabled()
    qtbot.keyClicks(name, "fog")
    assert [style.name for style in styles.own()] == ["fog"]
    dialog.remove()
    assert nothing.isVisible()
    dialog.close()


def test_a_prompt_is_kept_as_a_style_named_changed_and_taken_away(qtbot: QtBot, desk, home) -> None:
    easel, _, _, _ = desk
    easel.prompt.setPlainText("{prompt} in fog")
    entry(easel.styles, "Keep this prompt as a style…").trigger()
    [dialog] = [w for w in easel.window().children() if isinstance(w, StylesDialog)]
    name = dialog.findChild(QLineEdit)
    qtbot.keyClicks(name, "fog, thick")
    kept = json.loads((home / "styles.json").read_text())
    assert kept == [{"name": "fog thick", "prompt": "{prompt} in fog", "negative_prompt": ""}]
    assert "fog thick" in offered(easel)
    dialog.remove()
    assert styles.own() == () and "fog thick" not in offered(easel)
    undo = next(b for b in dialog.findChildren(QPushButton) if b.text() == "Undo")
    undo.click()
    assert styles.own() == (Style("fog thick", "{prompt} in fog"),)
    dialog.add(Style("fog thick"))
    assert [style.name for style in styles.own()] == ["fog thick", "fog thick 2"]
    dialog.close()
