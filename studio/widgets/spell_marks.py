"""A wavy line under words that no dictionary has: no formatting, so undo and files know nothing."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtGui import (
    QSyntaxHighlighter,
    QTextBlock,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
)

from studio import theme
from studio.spelling import Speller
from studio.widgets.text_positions import to_qt


class SpellMarks(QSyntaxHighlighter):
    """Marks the words of `document` while there is a speller."""

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        self._speller: Speller | None = None

    def set_speller(self, speller: Speller | None) -> None:
        self._speller = speller
        self.rehighlight()

    def highlightBlock(self, text: str) -> None:
        if self._speller is None:
            return
        look = QTextCharFormat()
        look.setUnderlineStyle(QTextCharFormat.UnderlineStyle.SpellCheckUnderline)
        look.setUnderlineColor(theme.colors().danger)
        for start, end in self._speller.wrong_words(text):
            first = to_qt(text, start)
            self.setFormat(first, to_qt(text, end) - first, look)

    def wrong_words(self, block: QTextBlock) -> Iterator[QTextCursor]:
        """Selects each marked word of a block, one after the other."""
        text = block.text()
        for start, end in self._speller.wrong_words(text) if self._speller else ():
            found = QTextCursor(block)
            found.setPosition(block.position() + to_qt(text, start))
            found.setPosition(block.position() + to_qt(text, end), QTextCursor.MoveMode.KeepAnchor)
            yield found

    def wrong_word_at(self, cursor: QTextCursor) -> QTextCursor | None:
        """Selects the marked word that `cursor` is in; None where there is none."""
        place = cursor.position()
        words = self.wrong_words(cursor.block())
        return next((w for w in words if w.selectionStart() <= place <= w.selectionEnd()), None)

    def next_wrong_word(self, cursor: QTextCursor) -> QTextCursor | None:
        """Selects the first marked word from `cursor` on, or else from the beginning."""
        place, block = cursor.position(), cursor.block()
        while block.isValid():
            for word in self.wrong_words(block):
                if word.selectionStart() >= place:
                    return word
            block = block.next()
        return None if place == 0 else self.next_wrong_word(QTextCursor(self.document()))
