"""How much is written, and how much of it the model reads when it goes on from the cursor."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from studio.widgets.page import Page

CONTINUE_FROM = 6000
"""Characters before the cursor that the model reads to go on: about 1,500 tokens."""

DEAR = 4
"""What a character beyond ASCII counts: it takes about a token, of ASCII four are one."""


def read_before(page: Page) -> str:
    """What of the text before the cursor the model reads, from the beginning of a word on."""
    before = page.text_before_cursor()
    count = _last(before)
    seen = before[len(before) - count :]
    if count == len(before) or before[-count - 1].isspace():
        return seen
    return seen.partition(" ")[2] or seen


def last_read(text: str) -> str:
    """The end of a text that is looked at, however many tokens its script takes."""
    return text[len(text) - _last(text) :]


def _last(text: str) -> int:
    """How many characters from the end on take as much as CONTINUE_FROM of ASCII."""
    left = CONTINUE_FROM
    for count, character in enumerate(reversed(text[-CONTINUE_FROM:])):
        left -= 1 if character.isascii() else DEAR
        if left < 0:
            return count
    return min(len(text), CONTINUE_FROM)


def told(page: Page) -> str:
    """In words, for the line under the page."""
    count = len(page.toPlainText().split())
    words = _tr("1 word") if count == 1 else _tr("{:,} words").format(count)
    before, seen = (len(text.split()) for text in (page.text_before_cursor(), read_before(page)))
    if seen == before:
        return words
    return words + _tr(" · Continue reads the last {:,} before the cursor").format(seen)


def _tr(text: str) -> str:
    return QCoreApplication.translate("WordCount", text)
