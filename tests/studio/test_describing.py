"""A picture put into words in the dialog, and where its words go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import tiny_describers as tiny
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from engine import folders
from engine.worker import Engine
from studio.describing import Describing
from studio.dialogs.describing import DescribingDialog
from studio.settings import Settings


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    window = QWidget()
    qtbot.addWidget(window)
    return window


@pytest.fixture
def describing(engine: Engine, window: QWidget) -> Describing:
    return Describing(engine, Settings(), window)


@pytest.fixture
def notes() -> list[str]:
    return []


@pytest.fixture
def dialog(
    describing: Describing, window: QWidget, notes: list[str], tmp_path: Path
) -> Iterator[DescribingDialog]:
    picture = tmp_path / "blue.png"
    tiny.picture("blue", (1200, 900)).save(picture)
    describing.describe(picture, notes.append)
    dialog = window.findChild(DescribingDialog)
    yield dialog
    dialog.close()


def press(qtbot: QtBot, dialog: DescribingDialog, text: str) -> None:
    button = next(b for b in dialog.findChildren(QPushButton) if b.text() == text)
    assert button.isEnabled()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_the_words_can_be_changed_and_go_where_they_are_wanted(
    qtbot, describing, dialog, notes
) -> None:
    tiny.save_captioner(folders.models() / "captioner")
    drawn, written = [], []
    describing.prompt_wanted.connect(drawn.append)
    describing.text_wanted.connect(written.append)
    press(qtbot, dialog, "Describe")
    qtbot.waitUntil(lambda: dialog.text() == "blue water" and not dialog.running, timeout=60_000)
    dialog.words.setFocus()
    qtbot.keyClick(dialog.words, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClicks(dialog.words, ", calm")
    for name in ("Copy", "Draw", "Write", "Note"):
        press(qtbot, dialog, name)
    assert drawn == written == notes == ["blue water, calm"]
    assert QGuiApplication.clipboard().text() == "blue water, calm"


def test_without_a_model_it_says_what_to_do(qtbot, dialog) -> None:
    press(qtbot, dialog, "Describe")
    qtbot.waitUntil(lambda: dialog.errors.isVisible(), timeout=30_000)
    assert "no model here that can see" in dialog.form.editor("model")._problem.text()
    assert all(
        not b.isEnabled() for b in dialog.findChildren(QPushButton) if b.text() in ("Copy", "Draw")
    )
