"""Spelling on the page: which language is checked, what a wrong word can become."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, QMimeData, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QContextMenuEvent, QTextCursor
from PySide6.QtWidgets import QMenu

from engine.errors import FileError
from studio.actions import Command
from studio.settings import Settings
from studio.spelling import LANGUAGES, Speller
from studio.widgets.page import Page
from studio.widgets.spell_marks import SpellMarks

LANGUAGE = "write/spelling"


class SpellCheck(QObject):
    """A menu over the wrong word offers what was meant; F7 goes to the next one, or chooses the
    language where none is checked yet."""

    failed = Signal(object)  # a FileError

    def __init__(self, page: Page, settings: Settings, parent: QObject) -> None:
        super().__init__(parent)
        self._page, self._settings = page, settings
        self._speller: Speller | None = None
        self._marks = SpellMarks(page.document())
        self.languages = QMenu(self.tr("Spelling"), page)
        self._group = QActionGroup(self)
        for language, name in (("", self.tr("Off")), *LANGUAGES.items()):
            action = QAction(name, self, checkable=True)
            action.setData(language)
            action.triggered.connect(lambda checked=False, each=language: self.choose(each))
            self._group.addAction(action)
            self.languages.addAction(action)
        page.viewport().installEventFilter(self)
        page.installEventFilter(self)

    def actions_table(self) -> list[Command]:
        tr = self.tr
        return [
            Command("write_spelling", tr("Next spelling mistake"), "F7", "check", self.go_to_next),
            Command(
                "write_spelling_language",
                tr("Check spelling in…"),
                "",
                "book-open",
                lambda: self.languages.exec(self._below_cursor()),
            ),
        ]

    def restore(self) -> None:
        """Check in the language of the last session."""
        self.choose(str(self._settings.value(LANGUAGE, "")))

    def choose(self, language: str) -> None:
        """Check in this language from now on; none for an empty name."""
        language = language if language in LANGUAGES else ""
        try:
            self._speller = Speller(language) if language else None
        except FileError as error:
            self.failed.emit(error)
            return
        self._settings.set_value(LANGUAGE, language)
        for action in self._group.actions():
            action.setChecked(action.data() == language)
        self._marks.set_speller(self._speller)

    def go_to_next(self) -> None:
        """Select the next wrong word, round to the first, and offer what it can become."""
        if self._speller is None:
            self.languages.exec(self._below_cursor())
            return
        found = self._marks.next_wrong_word(self._page.textCursor())
        if found:
            self._page.setTextCursor(found)
            self._page.ensureCursorVisible()
            self.menu_for(found).popup(self._below_cursor())

    def menu_for(self, word: QTextCursor) -> QMenu:
        """What the selected wrong word can become."""
        menu = QMenu(self._page)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        meant = self._speller.suggestions(word.selectedText()) if self._speller else []
        for each in meant:
            menu.addAction(each, partial(self._replace, word, each))
        if not meant:
            menu.addAction(self.tr("No word is like it")).setEnabled(False)
        menu.addSeparator()
        add = self.tr("Add “{}” to my words").format(word.selectedText())
        menu.addAction(add, partial(self._learn, word.selectedText()))
        return menu

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QContextMenuEvent):
            at = self._page.cursorForPosition(
                self._page.viewport().mapFromGlobal(event.globalPos())
            )
            by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
            word = self._marks.wrong_word_at(self._page.textCursor() if by_key else at)
            if word:
                self.menu_for(word).popup(event.globalPos())
                return True
        return False

    def _replace(self, word: QTextCursor, meant: str) -> None:
        self._page.setTextCursor(word)
        told = QMimeData()
        told.setText(meant)
        self._page.insertFromMimeData(told)  # as the person's own edit

    def _learn(self, word: str) -> None:
        if self._speller:
            try:
                self._speller.learn(word)
            except FileError as error:
                self.failed.emit(error)
            self._marks.rehighlight()

    def _below_cursor(self) -> QPoint:
        return self._page.viewport().mapToGlobal(self._page.cursorRect().bottomLeft())
