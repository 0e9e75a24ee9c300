"""Commands: every deed of the studio once, for the menus, the palette and the shortcuts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from studio import theme


@dataclass(frozen=True)
class Command:
    """One deed: what it is called, how it is reached, what it does."""

    id: str
    text: str
    shortcut: str
    icon: str
    slot: Callable[[], object]


def add_actions(
    widget: QWidget, commands: list[Command], everywhere: bool = False
) -> list[QAction]:
    """Make the commands reachable while `widget` has the focus, or everywhere in its window."""
    context = (
        Qt.ShortcutContext.WindowShortcut
        if everywhere
        else Qt.ShortcutContext.WidgetWithChildrenShortcut
    )
    actions = []
    for command in commands:
        action = QAction(command.text, widget)
        action.setObjectName(command.id)
        if command.icon:
            action.setIcon(theme.icon(command.icon))
        if command.shortcut:
            action.setShortcut(QKeySequence(command.shortcut))
            action.setShortcutContext(context)
        action.triggered.connect(lambda checked=False, run=command.slot: run())
        widget.addAction(action)
        actions.append(action)
    return actions
