"""Which words are spelled right, and what a wrong one may have meant: pyspellchecker's dictionaries
and the person's own words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from engine import files, folders
from engine.errors import FileError

if TYPE_CHECKING:
    from spellchecker import SpellChecker

LANGUAGES = {
    "en": "English (US)",
    "de": "Deutsch",
    "es": "Español",
    "fr": "Français",
    "it": "Italiano",
    "nl": "Nederlands",
    "pt": "Português",
    "ru": "Русский",
}
"""Those of pyspellchecker whose words are parted by blanks and read from the left."""

SUGGESTIONS = 5
LONGEST_SEARCHED_FAR = 12
"""Letters of a word for which words two letters away are looked for: beyond it takes too long."""

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_PART = re.compile(r"\S+")
_NO_WORD = re.compile(r"[\d_@/\\]|://|\w\.\w")


class Speller:
    """The words of one language. The person's own are shared by all and lie in a plain file."""

    def __init__(self, language: str) -> None:
        """Takes a third of a second; raises FileError when the person's words cannot be read."""
        self.language = language
        self._checker = _checker(language)
        self._own = {word.casefold() for word in own_words()}

    def wrong_words(self, text: str) -> Iterator[tuple[int, int]]:
        """(start, end) of each word of `text` that is in neither dictionary. Numbers, addresses,
        abbreviations in capitals, single letters and other scripts are no words here."""
        for part in _PART.finditer(text):
            if _NO_WORD.search(part[0]):
                continue
            for found in _WORD.finditer(part[0]):
                if not self.is_known(found[0]):
                    yield part.start() + found.start(), part.start() + found.end()

    def is_known(self, word: str) -> bool:
        if len(word) < 2 or word.isupper() or not self._is_of_its_script(word):
            return True
        told = word.replace("’", "'").casefold()
        forms = {told, told.removesuffix("'s")}
        return bool(forms & self._own) or any(form in self._checker for form in forms)

    def _is_of_its_script(self, word: str) -> bool:
        script = "CYRILLIC" if self.language == "ru" else "LATIN"
        return unicodedata.name(word[0], "").startswith(script)

    def suggestions(self, word: str) -> list[str]:
        """What was likely meant, the commonest word first, with the capitals of `word`."""
        told = word.replace("’", "'").casefold()
        found: set[str] = set()
        for distance in (1, 2):
            if not found and (distance == 1 or len(told) <= LONGEST_SEARCHED_FAR):
                self._checker.distance = distance
                found = set(self._checker.candidates(told) or ()) - {told}
        usage = self._checker.word_usage_frequency
        ranked = sorted(found, key=lambda each: (-usage(each), each))[:SUGGESTIONS]
        return [each.capitalize() if word[:1].isupper() else each for each in ranked]

    def learn(self, word: str) -> None:
        """Never find fault with `word` again; raises FileError, it counts until the end then."""
        self._own.add(word.casefold())
        files.make_folder(_own_path().parent)
        files.append_line(_own_path(), word)


def own_words() -> list[str]:
    """What the person has added; raises FileError."""
    try:
        return _own_path().read_text(encoding="utf-8", errors="replace").split()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise FileError(
            f"{_own_path()} could not be read: {error.strerror or error}.",
            "Your own words count as unknown until it can.",
        ) from error


@lru_cache(maxsize=1)
def _checker(language: str) -> SpellChecker:
    from spellchecker import SpellChecker

    return SpellChecker(language=language)


def _own_path() -> Path:
    return folders.home() / "documents" / "words.txt"
