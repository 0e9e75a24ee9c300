"""What a model can do with a text that is there: a menu of changes, and the task for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QInputDialog, QMenu, QWidget

from engine.errors import InvalidTask
from engine.task import Task
from studio import theme
from studio.settings import Settings
from studio.widgets.page import Page

LANGUAGE = "write/language"
TAKEN = ("model", "system_prompt", "max_new_tokens", "seed")
"""What a change takes from the parameters of writing; how boldly it chooses words is its own."""
CHARACTERS_A_TOKEN = 2
"""Few, so that no language runs out of tokens before its text is at its end."""


class TextChanges(QObject):
    """`change` does one: it gets the name of the change and the language to translate into."""

    def __init__(
        self,
        task: type[Task],
        settings: Settings,
        change: Callable[[str, str], object],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._task = task
        self._settings = settings
        self._change = change
        self._window = parent
        self.menu = QMenu(parent)
        for name, (icon, text) in self._texts().items():
            action = QAction(theme.icon(icon), text, self.menu)
            action.setObjectName(f"write_change_{name}")
            action.triggered.connect(lambda checked=False, name=name: self._choose(name))
            self.menu.addAction(action)

    def begin(self, page: Page, change: str, language: str, values: Mapping[str, Any]) -> Task:
        """Begin a suggestion on the page for what is to be changed; raises InvalidTask."""
        text = page.begin_change()
        if not text:
            raise InvalidTask(
                "prompt",
                self.tr("There is no text here to change."),
                self.tr("Select a part of your text, or put the cursor into a paragraph."),
            )
        try:
            return self._task_for(text, change, language, values)
        except InvalidTask:
            page.discard()
            raise

    def _task_for(self, text: str, change: str, language: str, values: Mapping[str, Any]) -> Task:
        known = {field.name for field in self._task.fields()}
        fields = {name: values[name] for name in TAKEN if name in values and name in known}
        if "max_new_tokens" in fields:
            least = len(text) // CHARACTERS_A_TOKEN
            fields["max_new_tokens"] = max(fields["max_new_tokens"], least)
        return self._task.from_dict(
            {**fields, "prompt": text, "change": change, "language": language}
        )

    def _choose(self, name: str) -> None:
        language = str(self._settings.value(LANGUAGE, "English"))
        if name == "translate":
            language, accepted = QInputDialog.getText(
                self._window,
                self.tr("Translate"),
                self.tr("Into which language? Small models know few besides English."),
                text=language,
            )
            if not accepted:
                return
            self._settings.set_value(LANGUAGE, language)
        self._change(name, language)

    def _texts(self) -> dict[str, tuple[str, str]]:
        return {
            "rewrite": ("refresh-cw", self.tr("Rewrite")),
            "shorten": ("minus", self.tr("Shorten")),
            "expand": ("plus", self.tr("Expand")),
            "summarise": ("scroll-text", self.tr("Summarise")),
            "simplify": ("sun", self.tr("Say it simply")),
            "correct": ("check", self.tr("Correct spelling and grammar")),
            "imagine": ("brush", self.tr("Turn into an image prompt")),
            "translate": ("book-open", self.tr("Translate…")),
        }
