"""The Log panel: records from any thread, bounded, filtered, copied."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit
from pytestqt.qtbot import QtBot

from studio.panels.log import LogPanel
from studio.panels.log_records import CAPACITY, LogHandler

log = logging.getLogger("atelier.test")


@pytest.fixture
def handler() -> Iterator[LogHandler]:
    handler = LogHandler()
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    log.propagate = False
    yield handler
    log.removeHandler(handler)


@pytest.fixture
def panel(qtbot: QtBot, handler: LogHandler) -> LogPanel:
    panel = LogPanel(handler)
    qtbot.addWidget(panel)
    panel.resize(640, 320)
    panel.show()
    return panel


def shown(panel: LogPanel) -> list[str]:
    model = panel._view.model()
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def test_what_was_logged_before_the_panel_was_there_is_shown(qtbot, handler) -> None:
    log.info("early")
    panel = LogPanel(handler)
    qtbot.addWidget(panel)
    assert shown(panel)[0].endswith("INFO     atelier.test: early")


def test_records_come_from_other_threads_and_debug_stays_out(qtbot, panel) -> None:
    def work() -> None:
        for number in range(1000):
            log.info("number %d", number)
            log.debug("a prompt")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: len(shown(panel)) == 1000)
    assert shown(panel)[-1].endswith("number 999")
    assert not any("prompt" in line for line in shown(panel))


def test_the_oldest_records_go_first(qtbot, panel) -> None:
    for number in range(CAPACITY + 100):
        log.info("number %d", number)
    assert len(shown(panel)) == CAPACITY
    assert shown(panel)[0].endswith("number 100")


def test_filters_by_level_and_text(qtbot, panel) -> None:
    log.info("loaded")
    log.warning("slow")
    try:
        raise KeyError("colour")
    except KeyError:
        log.exception("broken")
    levels, search = panel.findChild(QComboBox), panel.findChild(QLineEdit)
    qtbot.keyClick(levels, Qt.Key.Key_Down)
    assert [line[-4:] for line in shown(panel)] == ["slow", "oken"]
    qtbot.keyClick(levels, Qt.Key.Key_Up)
    qtbot.keyClicks(search, "keyerror")
    assert len(shown(panel)) == 1 and shown(panel)[0].endswith("broken")


def test_a_traceback_is_shown_whole_and_copied(qtbot, panel) -> None:
    log.info("first")
    try:
        raise KeyError("colour")
    except KeyError:
        log.exception("broken")
    place = panel._view.visualRect(panel._view.model().index(1, 0)).center()
    qtbot.mouseClick(panel._view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert panel._whole.isVisible() and "Traceback" in panel._whole.toPlainText()
    qtbot.keyClick(panel._view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    copied = QApplication.clipboard().text()
    assert "KeyError: 'colour'" in copied and "first" not in copied
