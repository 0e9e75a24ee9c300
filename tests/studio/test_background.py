"""Work off the GUI thread: where results arrive, and what happens to them when nobody waits."""

from __future__ import annotations

import threading

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot
from shiboken6 import delete

from studio.background import Background


def test_work_is_done_elsewhere_in_order_and_arrives_on_the_gui_thread(qtbot: QtBot) -> None:
    owner = QObject()
    background = Background(owner)
    got: list[tuple[int, int, int]] = []
    for number in range(20):
        background.run(
            lambda n=number: (n, threading.get_ident()),  # type: ignore[misc]
            lambda result: got.append((*result, threading.get_ident())),
        )
    qtbot.waitUntil(lambda: len(got) == 20)
    assert [number for number, _, _ in got] == list(range(20))
    here = threading.get_ident()
    assert all(worked != here and arrived == here for _, worked, arrived in got)


def test_what_goes_wrong_is_raised_on_the_gui_thread(qtbot: QtBot) -> None:
    owner = QObject()
    background = Background(owner)

    def fail() -> None:
        raise KeyError("lost")

    with qtbot.captureExceptions() as caught:
        background.run(fail, lambda _: pytest.fail("there is no result"))
        qtbot.waitUntil(lambda: bool(caught))
    assert caught[0][0] is KeyError


def test_a_result_for_something_deleted_is_dropped(qtbot: QtBot) -> None:
    owner = QObject()
    background = Background(owner)
    go, got = threading.Event(), []
    background.run(go.wait, got.append)
    delete(owner)
    go.set()
    other = QObject()
    again: list[bool] = []
    Background(other).run(lambda: True, again.append)
    qtbot.waitUntil(lambda: bool(again))
    qtbot.wait(20)
    assert got == []
