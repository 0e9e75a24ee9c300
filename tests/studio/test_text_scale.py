"""Text made larger while the window is open: no number is cut off, none keeps its old width."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from drawing_task import Paint
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from repainting_task import Repaint

from engine.worker import Engine
from studio.requests import Meaning
from studio.settings import Settings
from studio.theme import Theme
from studio.widgets.number_box import NumberBox
from studio.workspaces.create import CreateWorkspace

TASKS = {Meaning.CREATE: Paint} | dict.fromkeys(
    (Meaning.REFINE, Meaning.FILL, Meaning.EXTEND), Repaint
)


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    """As the studio dresses itself, for one test only."""
    theme = Theme(qapp, "light")
    yield theme
    theme.set_text_scale(100)
    qapp.setStyleSheet("")
    theme.deleteLater()


@pytest.fixture
def workspace(qtbot: QtBot, engine: Engine, theme: Theme) -> Iterator[CreateWorkspace]:
    workspace = CreateWorkspace(engine, Settings(), TASKS)
    qtbot.addWidget(workspace)
    workspace.resize(1200, 900)
    workspace.show()
    workspace.easel.stage.empty_wanted.emit()
    workspace.workbench.box.choose("brush")
    yield workspace
    workspace.close()


def room(box: NumberBox) -> int:
    """Pixels that the number has between its margins, more than it needs."""
    line = box.lineEdit()
    margins = line.textMargins()
    free = line.width() - margins.left() - margins.right()
    return free - line.fontMetrics().horizontalAdvance(box.text())


@pytest.mark.parametrize("name", ["Strength", "Opacity", "Size"])
def test_a_number_is_not_cut_off(
    qtbot: QtBot, workspace: CreateWorkspace, theme: Theme, name: str
) -> None:
    boxes = [b for b in workspace.findChildren(NumberBox) if b.accessibleName() == name]
    assert boxes
    before = [box.width() for box in boxes]
    theme.set_text_scale(200)
    qtbot.waitUntil(lambda: all(room(box) >= 0 for box in boxes))
    theme.set_text_scale(100)
    qtbot.waitUntil(lambda: [box.width() for box in boxes] == before)
