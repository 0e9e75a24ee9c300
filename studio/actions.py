"""Commands: every deed of the studio once, for the menus, the palette and the shortcuts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from studio import theme

GROUP = "group"
"""The property of an action that names the submenu it belongs to."""


@dataclass(frozen=True)
class Command:
    """One deed: what it is called, how it is reached, what it does."""

    id: str
    text: str
    shortcut: str
    icon: str
    slot: Callable[[], object]


def add_actions(
    widget: QWidget,
    commands: list[Command],
    context: Qt.ShortcutContext = Qt.ShortcutContext.WidgetWithChildrenShortcut,
) -> list[QAction]:
    """Make the commands reachable while `widget` or what is in it has the focus.

    A `context` says it otherwise: everywhere in the window, or only in the widget itself.
    """
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


def group_actions(actions: Iterable[QAction], groups: Mapping[str, Sequence[str]]) -> None:
    """Say which submenu an action belongs to: `groups` has the beginnings of ids by title."""
    for action in actions:
        for title, beginnings in groups.items():
            if action.objectName().startswith(tuple(beginnings)):
                action.setProperty(GROUP, title)


def fill_menu(menu: QMenu, actions: Iterable[QAction]) -> None:
    """Put the actions into the menu, those of a group into a submenu at its end."""
    submenus: dict[str, QMenu] = {}
    for action in actions:
        group = action.property(GROUP)
        if not group:
            menu.addAction(action)
            continue
        if group not in submenus:
            submenus[group] = QMenu(group, menu)
        submenus[group].addAction(action)
    menu.addSeparator()
    for submenu in submenus.values():
        menu.addMenu(submenu)
