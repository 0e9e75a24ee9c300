"""The menu of filters: what there is to filter by, as words for the search field."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QPushButton, QWidget

from studio import theme

MOST = 25  # entries of a menu
MOST_TITLE = 40  # characters

Named = tuple[str, str]
"""What is looked for, and what a person calls it."""


class FilterMenu(QObject):
    """`chosen` tells the words of a filter, such as `model:stickers`."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.button = QPushButton(theme.icon("filter"), self.tr("Filter"))
        self.button.setToolTip(self.tr("Narrow the search down: stars, dates, models, tags"))
        self._menu = QMenu(self.button)
        self.button.setMenu(self._menu)
        self._add(self._menu, "star", self.tr("Starred"), "star")
        self._dates = self._menu.addMenu(theme.icon("clock"), self.tr("Date"))
        for words, text in (
            ("date:today", self.tr("Today")),
            ("date:yesterday", self.tr("Yesterday")),
            ("date:week", self.tr("This week")),
            ("date:month", self.tr("This month")),
            ("date:year", self.tr("This year")),
        ):
            self._add(self._dates, words, text)
        self._models = self._menu.addMenu(theme.icon("brain"), self.tr("Model"))
        self._tags = self._menu.addMenu(theme.icon("flag"), self.tr("Tag"))
        self._tasks = self._menu.addMenu(theme.icon("wand-sparkles"), self.tr("Made by"))
        self._menus = (self._dates, self._models, self._tags, self._tasks)
        self._names: tuple[Sequence[str], Sequence[str], Sequence[Named]] | None = None
        self.set_names([], [], [])

    def name_of(self, field: str) -> str:
        """What a person calls a field of the search language."""
        return {
            "prompt": self.tr("prompt"),
            "negative": self.tr("to avoid"),
            "model": self.tr("model"),
            "task": self.tr("made by"),
            "tags": self.tr("tag"),
            "notes": self.tr("note"),
            "name": self.tr("file"),
            "seed": self.tr("seed"),
            "size": self.tr("size"),
            "date": self.tr("date"),
        }.get(field, field)

    def title_of(self, task: str) -> str:
        """What a person calls a task, where there are pictures of it."""
        return dict(self._names[2]).get(task, task) if self._names else task

    def all_words(self) -> list[str]:
        """Every filter of the menu as it is written, by field."""
        actions = [a for menu in self._menus for a in menu.actions()]
        return sorted(str(action.data()) for action in actions if action.data())

    def set_names(self, models: Sequence[str], tags: Sequence[str], tasks: Sequence[Named]) -> None:
        """What there is to filter by, the most frequent first."""
        names = (tuple(models), tuple(tags), tuple(tasks))
        if names == self._names:
            return  # the menu may be open just now
        self._names = names
        self._fill(self._models, ((f"model:{_quoted(name)}", name) for name in models))
        self._fill(self._tags, ((f"tag:{_quoted(name)}", name) for name in tags))
        self._fill(self._tasks, ((f"task:{_quoted(name)}", title) for name, title in tasks))

    def _fill(self, menu: QMenu, entries: Iterable[Named]) -> None:
        for action in menu.actions():  # QMenu.clear() deletes what still reacts
            menu.removeAction(action)
            action.deleteLater()
        for words, text in list(entries)[:MOST]:
            self._add(menu, words, text)
        menu.setEnabled(bool(menu.actions()))

    def _add(self, menu: QMenu, words: str, text: str, icon: str = "") -> None:
        shown = text if len(text) <= MOST_TITLE else text[:MOST_TITLE] + "…"
        action = QAction(shown.replace("&", "&&"), menu)
        if icon:
            action.setIcon(theme.icon(icon))
        action.setData(words)
        action.triggered.connect(lambda: self.chosen.emit(words))
        menu.addAction(action)


def _quoted(name: str) -> str:
    """As it is written in the search field: a name of several words in quotes."""
    name = name.replace('"', " ")
    return name if name.isalnum() else f'"{name}"'
