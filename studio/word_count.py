"""How much is written, and how much of it the model reads when it goes on from the cursor."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from studio.widgets.page import Page

CONTINUE_FROM = 6000
"""Characters before the cursor that the model reads to go on: about 1,500 tokens."""


def read_before(page: Page) -> str:
    """What of the text before the cursor the model reads, from the beginning of a word on."""
    before = page.text_before_cursor()
    if len(before) <= CONTINUE_FROM:
        return before
    seen = before[-CONTINUE_FROM:]
    return seen if before[-CONTINUE_FROM - 1].isspace() else seen.partition(" ")[2] or seen


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
