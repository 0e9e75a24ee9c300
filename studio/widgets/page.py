"""The page a person writes on, and into which a model's suggestion can grow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QEvent, QMimeData, QRectF, Qt, Signal
from PySide6.QtGui import (
    QInputMethodEvent,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QTextCursor,
)
from PySide6.QtWidgets import QTextEdit, QWidget

from studio.theme import SPACING, colors
from studio.widgets.column_edit import MARGIN, ColumnEdit
from studio.widgets.suggestion import Suggestion

EDITING = (
    QKeySequence.StandardKey.Paste,
    QKeySequence.StandardKey.Cut,
    QKeySequence.StandardKey.Delete,
    QKeySequence.StandardKey.DeleteStartOfWord,
    QKeySequence.StandardKey.DeleteEndOfWord,
    QKeySequence.StandardKey.DeleteEndOfLine,
    QKeySequence.StandardKey.DeleteCompleteLine,
)


class Page(ColumnEdit):
    """Plain text with one suggestion at most, which is coloured until it is kept or discarded.

    A suggestion may stand for a part of the text, which is struck through until then: kept, it
    takes the place of that part, and one step of undo brings the part back.
    """

    suggestion_ended = Signal(bool)  # kept?

    def __init__(self, parent: QWidget | None = None) -> None:
        self._suggestion: Suggestion | None = None
        self._replaced: QTextCursor | None = None
        self._growing = False
        self._follow = False
        self._typed_until: tuple[Suggestion, int] | None = None
        super().__init__(parent)
        self.document().contentsChanged.connect(self._check_suggestion)

    # ------------------------------------------------------------------ the suggestion

    @property
    def suggestion(self) -> str:
        return self._suggestion.text if self._suggestion else ""

    @property
    def suggestion_start(self) -> int | None:
        """Where the suggestion's own text begins; None without one."""
        return self._suggestion.cursor().anchor() if self.suggestion and self._suggestion else None

    def begin_suggestion(self, *, new_paragraph: bool) -> None:
        """What `append` brings goes to the cursor, or to a paragraph of its own after it."""
        self.keep()
        cursor = self.textCursor()
        position, lead = cursor.selectionEnd(), ""
        if new_paragraph:
            block = self.document().findBlock(position)
            position = block.position() + block.length() - 1
            lead = "\n\n" if block.text().strip() else ""
        self._follow = cursor.atEnd()
        self._growing = True
        self._suggestion = Suggestion(self.document(), position, lead)

    def begin_change(self) -> str:
        """What `append` brings stands for the selection, or the paragraph of the cursor, which is
        returned; empty, and nothing begun, where there is no text."""
        self.keep()
        part = self.textCursor()
        if not part.hasSelection():
            part.movePosition(QTextCursor.MoveOperation.StartOfBlock)
            part.movePosition(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
        text = part.selection().toPlainText()
        if not text.strip():
            return ""
        start, end = part.selectionStart(), part.selectionEnd()
        part.setPosition(start)
        part.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        part.setKeepPositionOnInsert(True)  # what is written behind it is no part of it
        after = self.document().findBlock(end)
        is_whole = end == after.position() + after.length() - 1
        self._follow = True
        self._growing = True
        self._replaced = part
        self._suggestion = Suggestion(self.document(), end, "\n\n" if is_whole else " ")
        self._show_suggestion()
        return text

    def replace_suggestion(self) -> None:
        """Take the suggestion out and let another one grow in its place."""
        if self._suggestion:
            again, replaced = self._suggestion.successor(), self._replaced
            self.discard()
            self._suggestion, self._growing, self._replaced = again, True, replaced
            self._show_suggestion()

    def append(self, text: str) -> None:
        """Let the suggestion grow; the person's cursor stays where it is."""
        if self._suggestion is None:
            return
        if not self._suggestion.text:
            text = self._suggestion.joined(text)
        if not text:
            return
        follow = self._follow and self.sees(self._suggestion.end)
        with self._cursor_stays(self._suggestion):
            self._suggestion.append(text)
        self._show_suggestion()
        if follow:
            self.scroll_down_to(self._suggestion.end)

    def mend(self, text: str) -> None:
        """The suggestion says `text` instead of all that has grown."""
        if self.suggestion and self._suggestion:
            with self._cursor_stays(self._suggestion):
                self._suggestion.mend(text)
            self._show_suggestion()

    def finish_suggestion(self) -> None:
        """Nothing more comes; what is there waits to be kept or discarded."""
        self._growing = False
        if not self.suggestion:
            self.keep()

    def keep(self) -> None:
        """The suggestion becomes ordinary text, and writing goes on after it."""
        replaced = self._replaced
        suggestion = self._let_go()
        if suggestion is None:
            return
        if replaced and suggestion.text:
            suggestion.take_the_place_of(replaced)
        suggestion.release()
        cursor = self.textCursor()
        if suggestion.text and cursor.position() == suggestion.position:
            cursor.setPosition(suggestion.end)
            self.setTextCursor(cursor)
        self.suggestion_ended.emit(True)

    def discard(self) -> None:
        """The suggestion goes; Redo brings it back."""
        suggestion = self._let_go()
        if suggestion is None:
            return
        suggestion.discard()
        self.suggestion_ended.emit(False)

    def _let_go(self) -> Suggestion | None:
        suggestion, self._suggestion, self._replaced = self._suggestion, None, None
        self._growing = False
        self._show_suggestion()
        return suggestion

    def _check_suggestion(self) -> None:
        if self._suggestion and self._suggestion.taken_back:
            self.discard()

    # ------------------------------------------------------------------ a person's edits

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Undo) and self.suggestion:
            self.discard()
        elif _changes_text(event):
            with self._own_edit():
                super().keyPressEvent(event)
        else:
            super().keyPressEvent(event)

    def insertFromMimeData(self, source: QMimeData) -> None:
        with self._own_edit():
            super().insertFromMimeData(source)

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        if event.commitString():
            with self._own_edit():
                super().inputMethodEvent(event)
        else:
            super().inputMethodEvent(event)

    @contextmanager
    def _own_edit(self) -> Iterator[None]:
        """An edit elsewhere leaves the suggestion alone; one inside it makes it the person's."""
        suggestion = self._suggestion
        cursor = self.textCursor()
        if suggestion is None:
            yield
        elif suggestion.touches(cursor.selectionStart(), cursor.selectionEnd()):
            self._adopt(suggestion)
            yield
        else:
            suggestion.take_out()
            with self._one_step(suggestion):
                yield
            with self._cursor_stays(suggestion):
                suggestion.put_back()
            self._show_suggestion()
            self.ensureCursorVisible()

    @contextmanager
    def _one_step(self, suggestion: Suggestion) -> Iterator[None]:
        """Letters typed in a row are one step of undo, as they are without a suggestion."""
        here = self.textCursor()
        if self._typed_until == (suggestion, here.position()):
            here.joinPreviousEditBlock()
        else:
            here.beginEditBlock()
        before = self.document().characterCount()
        yield
        here.endEditBlock()
        typed = self.document().characterCount() == before + 1
        self._typed_until = (suggestion, self.textCursor().position()) if typed else None

    def _adopt(self, suggestion: Suggestion) -> None:
        """Whoever edits a suggestion has kept it; what is still to come follows as another."""
        if not self._growing:
            self.keep()
            return
        suggestion.release()
        self._suggestion, self._replaced = Suggestion(self.document(), suggestion.end), None
        self._show_suggestion()

    # ------------------------------------------------------------------ what is seen

    @contextmanager
    def _cursor_stays(self, suggestion: Suggestion) -> Iterator[None]:
        """Text that is inserted right at the person's cursor does not push it along."""
        bar = self.verticalScrollBar()
        place, at = bar.value(), suggestion.end
        before = self.textCursor()
        anchor, position = before.anchor(), before.position()
        yield
        if at in (anchor, position):
            cursor = self.textCursor()
            moved = cursor.position()
            cursor.setPosition(at if anchor == at else cursor.anchor())
            cursor.setPosition(at if position == at else moved, QTextCursor.MoveMode.KeepAnchor)
            self.setTextCursor(cursor)
        bar.setValue(place)

    def _show_suggestion(self) -> None:
        """Colour it; it is no formatting, so undo and files know nothing of it."""
        shown = []
        if self.suggestion and self._suggestion:
            selection = QTextEdit.ExtraSelection()
            selection.cursor = self._suggestion.cursor()
            selection.format.setForeground(colors().accent_text)
            shown.append(selection)
        if self._replaced:
            part = QTextEdit.ExtraSelection()
            part.cursor = self._replaced
            part.format.setForeground(colors().muted)
            part.format.setFontStrikeOut(True)
            shown.append(part)
        self.setExtraSelections(shown)
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not (self.suggestion and self._suggestion):
            return
        cursor = self._suggestion.cursor()
        last = self.cursorRect(cursor)
        cursor.setPosition(cursor.anchor())
        first = self.cursorRect(cursor)
        with QPainter(self.viewport()) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colors().accent)
            height = last.bottom() - first.top()
            painter.drawRoundedRect(QRectF(MARGIN - 2 * SPACING, first.top(), 3, height), 1.5, 1.5)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self._show_suggestion()


def _changes_text(event: QKeyEvent) -> bool:
    if any(event.matches(key) for key in EDITING):
        return True
    if event.key() in (Qt.Key.Key_Backspace, Qt.Key.Key_Return, Qt.Key.Key_Enter):
        return True
    typed = event.text()
    return bool(typed) and typed.isprintable()
