"""A film from prompt to prompt, made in its dialog and seen while it is made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import tiny_models
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QPlainTextEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from engine import folders
from engine.worker import Engine
from studio.dialogs.morphing import MorphingDialog
from studio.morphing import Morphing
from studio.settings import Settings


@pytest.fixture
def prompt(qtbot: QtBot) -> QPlainTextEdit:
    prompt = QPlainTextEdit("a red cat")
    qtbot.addWidget(prompt)
    return prompt


@pytest.fixture
def dialog(engine: Engine, prompt: QPlainTextEdit, qtbot: QtBot) -> Iterator[MorphingDialog]:
    window = QWidget()
    qtbot.addWidget(window)
    morphing = Morphing(engine, Settings(), prompt, window)
    morphing.open()
    assert morphing.dialog is not None
    yield morphing.dialog
    morphing.dialog.done(0)


def button(dialog: MorphingDialog, text: str) -> QPushButton:
    return next(b for b in dialog.findChildren(QPushButton) if b.text() == text)


def test_a_film_plays_while_it_is_made_and_opens(
    qtbot: QtBot, dialog: MorphingDialog, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny_models.save_stable_diffusion(folders.models() / "tiny")
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    assert dialog.form.values()["prompts"] == "a red cat"
    assert not button(dialog, "Open").isEnabled()
    fields = {"model": model.name, "num_inference_steps": 1, "seconds": 0.5, "fps": 8}
    dialog.form.set_values({**fields, "prompts": "a red cat\na blue dog", "file_format": "GIF"})
    qtbot.mouseClick(button(dialog, "Make the film"), Qt.MouseButton.LeftButton)
    shown: set[int] = set()
    qtbot.waitUntil(lambda: shown.add(dialog.loop.shown) or len(shown) > 2, timeout=60_000)
    qtbot.waitUntil(lambda: button(dialog, "Open").isEnabled(), timeout=60_000)
    qtbot.waitUntil(lambda: not dialog.running, timeout=10_000)
    assert "Saved as" in dialog.status.text()
    for name in ("Open", "Folder"):
        qtbot.mouseClick(button(dialog, name), Qt.MouseButton.LeftButton)
    film = Path(opened[0])
    assert opened[1] == str(film.parent)
    with Image.open(film) as frames:
        assert frames.n_frames == 2 * dialog.loop.count - 2


def test_one_prompt_is_refused_under_its_field(qtbot: QtBot, dialog: MorphingDialog) -> None:
    qtbot.mouseClick(button(dialog, "Make the film"), Qt.MouseButton.LeftButton)
    assert not dialog.running
    assert "one prompt" in dialog.form.editor("prompts")._problem.text()
