"""Several texts for one request: Again keeps the one before, and both ways lead to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QToolButton
from pytestqt.qtbot import QtBot
from writing_task import Echo

from engine.events import Report, Token
from engine.worker import Engine
from studio.settings import Settings
from studio.workspaces.write import WriteWorkspace

ALT = Qt.KeyboardModifier.AltModifier


@dataclass(frozen=True)
class Seeded(Echo):
    """Another text for each seed."""

    title = "Seeded"

    def run(self, report: Report, out: Path) -> None:
        for word in (*self.prompt.split(), str(self.seed)):
            report(Token(f" {word}"))


@pytest.fixture
def workspace(qtbot: QtBot, engine: Engine) -> Iterator[WriteWorkspace]:
    workspace = WriteWorkspace(engine, Settings(), Seeded)
    qtbot.addWidget(workspace)
    workspace.resize(1000, 640)
    with qtbot.waitActive(workspace):
        workspace.show()
        workspace.activateWindow()
    yield workspace
    workspace.close()


def done(qtbot: QtBot, engine: Engine, count: int) -> None:
    qtbot.waitUntil(lambda: len(engine.jobs) == count and not engine.busy)


def shown(workspace: WriteWorkspace) -> str:
    return workspace._page.toPlainText()


def place(workspace: WriteWorkspace) -> str:
    label = workspace._bar._place
    return label.text() if label.isVisible() else ""


def button(workspace: WriteWorkspace, name: str) -> QPushButton | QToolButton:
    buttons = workspace.findChildren(QPushButton) + workspace.findChildren(QToolButton)
    return next(b for b in buttons if b.isVisible() and b.accessibleName().startswith(name))


def three(qtbot: QtBot, engine: Engine, workspace: WriteWorkspace) -> list[str]:
    workspace._page.set_text("Mine.")
    workspace._ask_box.prompt.setPlainText("la")
    workspace.ask()
    done(qtbot, engine, 1)
    found = [shown(workspace)]
    assert place(workspace) == ""
    for number in (2, 3):
        qtbot.mouseClick(button(workspace, "Again"), Qt.MouseButton.LeftButton)
        done(qtbot, engine, number)
        found.append(shown(workspace))
    return found


def test_each_text_is_a_press_away(qtbot: QtBot, engine: Engine, workspace: WriteWorkspace) -> None:
    texts = three(qtbot, engine, workspace)
    assert len(set(texts)) == 3 and place(workspace) == "3 of 3"
    assert not button(workspace, "The next text").isEnabled()
    qtbot.mouseClick(button(workspace, "The text before"), Qt.MouseButton.LeftButton)
    assert shown(workspace) == texts[1] and place(workspace) == "2 of 3"
    qtbot.keyClick(workspace._page, Qt.Key.Key_Left, ALT)
    assert shown(workspace) == texts[0] and place(workspace) == "1 of 3"
    qtbot.keyClick(workspace._page, Qt.Key.Key_Left, ALT)
    assert shown(workspace) == texts[0], "there is none before the first"
    qtbot.keyClick(workspace._page, Qt.Key.Key_Right, ALT)
    assert shown(workspace) == texts[1]


def test_the_one_that_is_shown_is_kept_and_undo_takes_it_out(
    qtbot: QtBot, engine: Engine, workspace: WriteWorkspace
) -> None:
    texts = three(qtbot, engine, workspace)
    workspace._alternatives.turn(-2)
    qtbot.mouseClick(button(workspace, "Keep"), Qt.MouseButton.LeftButton)
    assert shown(workspace) == texts[0] and place(workspace) == ""
    workspace._page.undo()
    assert shown(workspace) == "Mine."


def test_again_after_an_earlier_one_adds_to_the_end(
    qtbot: QtBot, engine: Engine, workspace: WriteWorkspace
) -> None:
    texts = three(qtbot, engine, workspace)
    workspace._alternatives.turn(-2)
    workspace.write_again()
    done(qtbot, engine, 4)
    assert place(workspace) == "4 of 4" and shown(workspace) not in texts
    workspace._alternatives.turn(-1)
    assert shown(workspace) == texts[2]


def test_what_was_discarded_is_found_when_the_same_is_asked_again(
    qtbot: QtBot, engine: Engine, workspace: WriteWorkspace
) -> None:
    texts = three(qtbot, engine, workspace)
    workspace.step_back()
    assert shown(workspace) == "Mine." and place(workspace) == ""
    workspace.ask()
    done(qtbot, engine, 4)
    workspace._alternatives.turn(-1)
    assert shown(workspace) == texts[2] and place(workspace) == "3 of 4"


def test_another_request_begins_anew(
    qtbot: QtBot, engine: Engine, workspace: WriteWorkspace
) -> None:
    three(qtbot, engine, workspace)
    workspace.step_back()
    workspace._ask_box.prompt.setPlainText("other")
    workspace.ask()
    done(qtbot, engine, 4)
    assert place(workspace) == ""
