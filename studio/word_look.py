"""Why this word? Asks the model what it would have written at a place of the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import QEvent, QObject, QRect, Qt, Signal
from PySide6.QtGui import QMouseEvent, QTextCursor

from engine.errors import InvalidTask
from engine.events import Candidates, Event
from engine.registry import task_class
from engine.task import Task
from engine.worker import Engine, Job, JobState
from studio.actions import Command
from studio.latest_wish import LatestWish
from studio.widgets.page import Page
from studio.widgets.text_positions import from_qt
from studio.widgets.word_popup import WordPopup
from studio.word_count import last_read
from studio.writing import Writing

LOOKED_AT = 64  # characters from the place on: longer than any token


class WordLook(QObject):
    """Ctrl+click on a word, or the command, for the word of the cursor."""

    failed = Signal(object)  # an EngineError

    def __init__(
        self,
        engine: Engine,
        task: type[Task] | None,
        page: Page,
        writing: Writing,
        values: Callable[[], Mapping[str, Any]],
        parent: QObject,
    ) -> None:
        """`task` has the fields of next_tokens; `values` are those of the form now."""
        super().__init__(parent)
        self._task_class = task or task_class("next_tokens")
        self._page, self._writing, self._values = page, writing, values
        self._popup = WordPopup(page)
        self._following = self._word = ""
        self._wish = LatestWish(engine, self)
        self._wish.reported.connect(self._hear)
        self._wish.ended.connect(self._ended)
        page.viewport().installEventFilter(self)

    def actions_table(self) -> list[Command]:
        return [Command("write_why", self.tr("Why this word?"), "Ctrl+I", "gauge", self.look)]

    def look(self) -> None:
        """At the word of the cursor."""
        self._look_at(self._page.textCursor())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            isinstance(event, QMouseEvent)
            and event.type() == QEvent.Type.MouseButtonRelease
            and event.modifiers() == Qt.KeyboardModifier.ControlModifier
        ):
            self._look_at(self._page.cursorForPosition(event.position().toPoint()))
            return True
        return False

    def _look_at(self, cursor: QTextCursor) -> None:
        if self._writing.running:
            return
        text = self._page.toPlainText()
        here = from_qt(text, cursor.position())
        if text[here - 1 : here].isalnum() and not text[here : here + 1].isalnum():
            cursor.movePosition(QTextCursor.MoveOperation.Left)  # right behind a word: that word
        cursor.movePosition(QTextCursor.MoveOperation.StartOfWord)
        word = QTextCursor(cursor)
        word.movePosition(QTextCursor.MoveOperation.EndOfWord, QTextCursor.MoveMode.KeepAnchor)
        start = from_qt(text, cursor.position())
        if text[start - 1 : start] == " ":
            start -= 1  # a token begins with the blank before it
        before, self._word = text[:start], word.selectedText()
        self._following = text[start : start + LOOKED_AT]
        try:
            task = self._task_for(before)
        except InvalidTask as error:
            self.failed.emit(error)
            return
        self._popup.show_waiting(self._word, self._place(cursor, word), self.tr("Reading …"))
        self._wish.want(lambda: task)

    def _task_for(self, before: str) -> Task:
        """What the model has read where it wrote this: a prompt and its answer, or the text."""
        fields = {f.name for f in self._task_class.fields()}
        values = {name: value for name, value in self._values().items() if name in fields}
        asked = self._writing.task.to_dict() if self._writing.task else {}
        start = self._page.suggestion_start
        start = None if start is None else from_qt(self._page.toPlainText(), start)
        if asked.get("apply_chat_template") and start is not None and len(before) >= start:
            told = {"prompt": asked["prompt"], "written": before[start:].lstrip()}
            values |= {name: asked[name] for name in values if name in asked}
            told |= {"apply_chat_template": True, "save": False}
            return self._task_class.from_dict(values | told)
        if not before.strip():
            raise InvalidTask(
                "prompt",
                self.tr("Nothing stands before this word that it could follow from."),
                self.tr("Look at a later one."),
            )
        told = {"prompt": last_read(before), "apply_chat_template": False, "save": False}
        return self._task_class.from_dict(values | told)

    def _place(self, start: QTextCursor, word: QTextCursor) -> QRect:
        first, last = self._page.cursorRect(start), self._page.cursorRect(word)
        here = first.united(last) if first.top() == last.top() else first
        return QRect(self._page.viewport().mapToGlobal(here.topLeft()), here.size())

    def _hear(self, event: Event) -> None:
        if isinstance(event, Candidates) and self._popup.isVisible():
            self._popup.show_candidates(self._word, event.tokens, self._following)

    def _ended(self, job: Job) -> None:
        if job.state is JobState.FAILED:
            self._popup.hide()
            self.failed.emit(job.error)
