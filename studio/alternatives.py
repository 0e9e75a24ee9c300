"""The texts that were written for one request: Again keeps the one before, and leads back to it."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject

from engine.task import Task
from studio.actions import Command
from studio.widgets.page import Page
from studio.widgets.writing_bar import WritingBar
from studio.writing import Writing


class Alternatives(QObject):
    """The bar says which of how many stands on the page; only one of them ever does."""

    def __init__(self, page: Page, writing: Writing, bar: WritingBar, parent: QObject) -> None:
        super().__init__(parent)
        self._page, self._writing, self._bar = page, writing, bar
        self._request: dict[str, Any] = {}
        self._texts: list[str] = []
        self._place = 0
        self._showing = False
        writing.started.connect(self._begin)
        writing.changed.connect(self._look)
        page.suggestion_ended.connect(self._end)
        bar.turn.connect(self.turn)

    def actions_table(self) -> list[Command]:
        tr = self.tr
        return [
            Command(
                "write_before",
                tr("The text before"),
                "Alt+Left",
                "chevron-left",
                lambda: self.turn(-1),
            ),
            Command(
                "write_next",
                tr("The next text"),
                "Alt+Right",
                "chevron-right",
                lambda: self.turn(1),
            ),
        ]

    def turn(self, delta: int) -> None:
        """Show an earlier (negative) or later one in the place of the suggestion."""
        place = self._place + delta
        if self._writing.running or not self._page.suggestion:
            return
        if 0 <= place < len(self._texts):
            self._place = place
            self._showing = True
            self._page.replace_suggestion()
            self._page.append(self._texts[place])
            self._page.finish_suggestion()
            self._showing = False
            self._writing.changed.emit()  # what can be done with it is offered again

    def _begin(self, task: Task) -> None:
        """One more for the same request, whatever its seed, or the first for another."""
        request = {name: value for name, value in task.to_dict().items() if name != "seed"}
        if request != self._request:
            self._request, self._texts = request, []
        self._texts.append("")
        self._place = len(self._texts) - 1

    def _look(self) -> None:
        """Remember the text as far as it is written, and say where it stands."""
        if self._texts and self._page.suggestion and not self._showing:
            self._texts[self._place] = self._page.suggestion
        waits = bool(self._page.suggestion) and not self._writing.running
        self._bar.show_place(self._place + 1, len(self._texts) if waits else 0)

    def _end(self, kept: bool) -> None:
        """What was kept is the person's now, and no alternative any more."""
        if kept:
            self._request, self._texts, self._place = {}, [], 0
        self._look()
