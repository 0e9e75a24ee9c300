"""Two small real models compared in the dialog, with the keyboard."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot
from tiny_language_models import SENTENCES, save_folder, save_gguf

from engine import folders
from engine.worker import Engine, JobState
from studio.comparing import Comparing
from studio.dialogs.comparing import ComparingDialog
from studio.settings import Settings


@pytest.fixture
def models() -> None:
    save_folder(folders.models() / "folder")
    save_gguf(folders.models() / "packed.gguf")
    (folders.home() / "said.txt").write_text("\n".join(SENTENCES), encoding="utf-8")


@pytest.fixture
def dialog(qtbot: QtBot, engine: Engine, models: None) -> Iterator[ComparingDialog]:
    window = QWidget()
    qtbot.addWidget(window)
    comparing = Comparing(engine, Settings(), window)
    comparing.open()
    dialog = comparing.dialog
    assert dialog is not None
    yield dialog
    if comparing.dialog:
        dialog.close()


def fill(dialog: ComparingDialog, **fields: object) -> None:
    own = {"prompts": "The sea\n\nA red fox", "model": "folder", "other_model": "packed"}
    refused = dialog.form.set_values(own | {"max_new_tokens": 12} | fields)
    assert refused == {}


def test_both_write_side_by_side_and_the_result_can_be_copied(qtbot, engine, dialog) -> None:
    fill(dialog, text=str(folders.home() / "said.txt"))
    qtbot.keyClick(dialog, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: bool(engine.jobs) and engine.jobs[0].state.ended, timeout=60_000)
    assert engine.jobs[0].state is JobState.FINISHED, engine.jobs[0].error
    qtbot.waitUntil(lambda: dialog._copy.isEnabled())
    texts = dialog.table.texts()
    assert texts[0][0] == texts[0][1] and texts[0][0].startswith("is wide and")
    assert len(texts) == 2 and all(all(row) for row in texts)
    assert all("bits per byte" in told for told in dialog.table.figures())
    dialog._copy.click()
    copied = QGuiApplication.clipboard().text()
    assert "## The sea" in copied and "**packed**" in copied and texts[1][1] in copied


def test_the_same_model_twice_is_refused_under_its_field(qtbot, engine, dialog) -> None:
    fill(dialog, other_model="folder")
    dialog.start()
    assert "That is the same model" in dialog.form.editor("other_model")._problem.text()
    assert engine.jobs == []


def test_escape_stops_first_and_closes_then(qtbot, engine, dialog) -> None:
    fill(dialog, prompts="The sea\n" * 90, max_new_tokens=200)
    dialog.start()
    stop = next(b for b in dialog.findChildren(QPushButton) if b.text() == "Stop")
    qtbot.waitUntil(stop.isVisible)
    qtbot.waitUntil(lambda: bool(dialog.table.texts()[0][0]), timeout=60_000)
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: engine.jobs[0].state is JobState.CANCELLED)
    assert dialog.isVisible() and dialog.table.texts()[0][0]
    with qtbot.waitSignal(dialog.closed):
        qtbot.keyClick(dialog, Qt.Key.Key_Escape)


def test_what_was_compared_is_there_the_next_time(qtbot, engine, models) -> None:
    settings = Settings()
    settings.set_value(
        "compare_language_models/parameters", {"prompts": "The sea", "max_new_tokens": 7}
    )
    window = QWidget()
    qtbot.addWidget(window)
    comparing = Comparing(engine, settings, window)
    comparing.open()
    assert comparing.dialog is not None
    assert comparing.dialog.form.values()["prompts"] == "The sea"
    comparing.dialog.close()
    assert comparing.dialog is None
