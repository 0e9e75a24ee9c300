"""How a text is cut into the words that are indexed and looked for; the same for both.

Case, accents and width do not matter. Scripts that put no spaces between words (Chinese, Japanese,
Thai, …) and symbols such as emoji become a word a character, so that any part of a sentence is a
phrase that can be found. What comes out is plain words and spaces, for SQLite's `ascii` tokenizer.
"""

from __future__ import annotations

import re
import unicodedata

_ASCII_BREAK = re.compile(r"[^0-9a-z]+")

# First and last code points of scripts written without spaces.
_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x312F),  # radicals, kana, bopomofo
    (0x3190, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),  # Han
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)


def words(text: str) -> list[str]:
    """The words of `text`, in order."""
    if text.isascii():
        return _ASCII_BREAK.sub(" ", text.lower()).split()
    return "".join(map(_separated, _folded(text))).split()


def indexed(text: str) -> str:
    """`text` as it is put into the index."""
    return " ".join(words(text))


def stands_alone(word: str) -> bool:
    """Whether a word is one character of an unspaced script or a symbol: nothing follows in it."""
    return len(word) == 1 and _is_alone(word)


def _folded(text: str) -> str:
    """Without case, width and accents: what a person means when they type it another way."""
    apart = unicodedata.normalize("NFKD", text).casefold()
    bare = "".join(c for c in apart if not "\u0300" <= c <= "\u036f")
    return unicodedata.normalize("NFC", bare)


def _separated(character: str) -> str:
    if character.isascii():
        return character if character.isalnum() else " "
    if _is_alone(character):
        return f" {character} "
    kind = unicodedata.category(character)
    # A variation selector says how an emoji looks, which nobody types.
    joins = kind[0] in "LNM" and not "\ufe00" <= character <= "\ufe0f"
    return character if joins else " "


def _is_alone(character: str) -> bool:
    code = ord(character)
    if any(first <= code <= last for first, last in _UNSPACED):
        return unicodedata.category(character)[0] in "LNM"
    return unicodedata.category(character) == "So"
