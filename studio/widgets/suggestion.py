"""A model's text inside a document: it grows, and until it is kept it is one step of undo."""

from __future__ import annotations

from PySide6.QtGui import QTextCursor, QTextDocument


class Suggestion:
    """Text that stands at one place of a document and belongs to the model.

    It is always the last step of undo, so that taking it back takes all of it and nothing else:
    a person's edit elsewhere is made with the suggestion set aside, and so lies below it.
    """

    def __init__(self, document: QTextDocument, position: int, lead: str = "") -> None:
        """`lead` is what separates it from the text before: nothing, or an empty line."""
        self.text = ""
        self._aside = ""
        self._document = document
        self._lead = lead
        self._start = _cursor_at(document, position)
        self._end = _cursor_at(document, position)
        self._is_last_step = False
        self._changing = False
        document.contentsChange.connect(self._note_change)

    @property
    def position(self) -> int:
        """Where it was put: before its lead."""
        return self._start.position()

    @property
    def end(self) -> int:
        return self._end.position()

    @property
    def taken_back(self) -> bool:
        """Whether someone else has removed it from the document, such as a menu's Undo."""
        return bool(self.text) and self.end <= self.position

    def cursor(self) -> QTextCursor:
        """Selects the text without its lead."""
        cursor = QTextCursor(self._document)
        cursor.setPosition(self.position + (len(self._lead) if self.text else 0))
        cursor.setPosition(self.end, QTextCursor.MoveMode.KeepAnchor)
        return cursor

    def touches(self, first: int, last: int) -> bool:
        """Whether an edit from `first` to `last` would change it."""
        return bool(self.text) and last > self.position and first <= self.end

    def joined(self, text: str) -> str:
        """A beginning that fits what is before it: no second space, no empty lines."""
        if self._lead or self._start.atBlockStart():
            return text.lstrip()
        before = self._document.characterAt(self.position - 1)
        return text.lstrip(" ") if before.isspace() else text

    def append(self, text: str) -> None:
        """Let it grow at its end."""
        whole = text if self.text else self._lead + text
        self.text += text
        self._changing = True
        if self._is_last_step:
            self._end.joinPreviousEditBlock()
        else:
            self._end.beginEditBlock()
        self._start.setKeepPositionOnInsert(True)
        self._end.insertText(whole)
        self._start.setKeepPositionOnInsert(False)
        self._end.endEditBlock()
        self._changing = False
        self._is_last_step = True

    def take_out(self) -> None:
        """Make way for an edit elsewhere; `put_back` follows."""
        if self._is_last_step:
            self._aside, self.text = self.text, ""
            self._document.undo()

    def put_back(self) -> None:
        """Stand in the document again, on top of the edit that was made meanwhile."""
        if self._aside:
            aside, self._aside = self._aside, ""
            self._is_last_step = False
            self.append(aside)

    def mend(self, text: str) -> None:
        """Say `text` instead, still as one step of undo."""
        self.take_out()
        self._aside = self.joined(text) if self._aside else ""
        self.put_back()

    def discard(self) -> None:
        """Take it out for good; Redo brings it back as ordinary text."""
        self.release()
        if not self.text or self.taken_back:
            return
        if self._is_last_step:
            self._document.undo()
        else:
            cursor = self.cursor()
            cursor.setPosition(self.position)
            cursor.setPosition(self.end, QTextCursor.MoveMode.KeepAnchor)
            cursor.removeSelectedText()

    def take_the_place_of(self, part: QTextCursor) -> None:
        """Remove the selection of `part`, which lies before it, and its own lead; taking it back
        brings both back."""
        cursor = self.cursor()
        start = cursor.selectionStart()
        cursor.setPosition(part.selectionStart())
        cursor.setPosition(start, QTextCursor.MoveMode.KeepAnchor)
        if self._is_last_step:
            cursor.joinPreviousEditBlock()
        else:
            cursor.beginEditBlock()
        cursor.removeSelectedText()
        cursor.endEditBlock()
        self._lead = ""

    def successor(self) -> Suggestion:
        """Another one for the same place, once this one is discarded."""
        return Suggestion(self._document, self.position, self._lead)

    def release(self) -> None:
        """Let go of it: what it says is ordinary text from now on."""
        self._document.contentsChange.disconnect(self._note_change)

    def _note_change(self, position: int, removed: int, added: int) -> None:
        if not self._changing:
            self._is_last_step = False


def _cursor_at(document: QTextDocument, position: int) -> QTextCursor:
    cursor = QTextCursor(document)
    cursor.setPosition(position)
    return cursor
