"""The language of the search field: words, "phrases", `key:value`, a minus for what must not be.

Anything can be typed and nothing fails: what is no filter is a word to look for, and a filter whose
value makes no sense says so in `Term.problem`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from engine.gallery.words import words

MOST_CHARACTERS = 1000
MOST_TERMS = 40

# Keys a person may type, and the field each one stands for.
KEYS = {
    "prompt": "prompt",
    "negative": "negative",
    "model": "model",
    "task": "task",
    "tag": "tags",
    "tags": "tags",
    "note": "notes",
    "notes": "notes",
    "name": "name",
    "file": "name",
    "seed": "seed",
    "size": "size",
    "date": "date",
    "is": "is",
    "star": "star",
}
TEXTS = ("prompt", "negative", "model", "task", "tags", "notes", "name")
"""The fields that hold text."""
STARRED = ("star", "starred", "stars", "★", "⭐", "*")
_YES = ("", "yes", "true", "1", *STARRED)
_NO = ("no", "false", "0")

_TERM = re.compile(
    r"""(?P<minus>[-−])?                       # must not be
        (?:(?P<key>[^\W\d_]+)\s?[:：](?!//))?   # a filter's name; a web address is none
        (?:["“”„「『](?P<phrase>[^"“”」』]*)["“”」』]?|(?P<word>[^\s"“”「」『』]*))""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Term:
    """One thing looked for; `start` and `end` say where it stands in what was typed."""

    field: str
    """One of TEXTS, "seed", "size", "date", "star"; empty for a word looked for everywhere."""
    text: str
    start: int
    end: int
    negated: bool = False
    exact: bool = False
    """In quotes: whole words only."""
    problem: bool = False
    """The value makes no sense for this field: nothing can be found."""
    low: str = ""
    high: str = ""
    """The days a date lies between, `high` not included; both sides of a size; a seed twice."""


@dataclass(frozen=True)
class Query:
    """What a person looks for. Every term has to hold."""

    text: str = ""
    terms: tuple[Term, ...] = ()

    @property
    def words(self) -> list[Term]:
        """The terms that are looked for in texts, for which a best match can be told."""
        return [term for term in self.terms if not term.negated and term.field in ("", *TEXTS)]

    def without(self, term: Term) -> str:
        """What was typed, without one term."""
        return " ".join((self.text[: term.start].rstrip(), self.text[term.end :].lstrip())).strip()


def parse(text: str, today: date | None = None) -> Query:
    """What `text` asks for. Never raises."""
    text = text[:MOST_CHARACTERS]
    terms: list[Term] = []
    for found in _TERM.finditer(text):
        term = _term(found, today or date.today())
        if term is not None and len(terms) < MOST_TERMS:
            terms.append(term)
    return Query(text, tuple(terms))


def _term(found: re.Match[str], today: date) -> Term | None:
    key, phrase, word = found["key"], found["phrase"], found["word"] or ""
    span = found.span()
    negated = found["minus"] is not None
    value = word if phrase is None else phrase
    field = KEYS.get(key.casefold()) if key else ""
    if field is None:  # no filter has this name: it is part of what is looked for
        return _text_term("", f"{key} {value}", span, negated, exact=phrase is not None)
    if field == "is" or (not field and phrase is None and value.casefold() in STARRED):
        field = "star"
    if field == "star":
        return _star_term(value, span, negated)
    if field in ("", *TEXTS):
        return _text_term(field, value, span, negated, exact=phrase is not None)
    if not value:
        return None  # the value is still being typed
    between = _READERS[field](value.casefold(), today)
    if between is None:
        return Term(field, value, *span, negated, problem=True)
    return Term(field, value, *span, negated, low=between[0], high=between[1])


def _text_term(
    field: str, value: str, span: tuple[int, int], negated: bool, exact: bool
) -> Term | None:
    return Term(field, value, *span, negated, exact) if words(value) else None


def _star_term(value: str, span: tuple[int, int], negated: bool) -> Term:
    wanted = value.casefold()
    if wanted in _NO:
        return Term("star", "no", *span, negated=not negated)
    return Term("star", value, *span, negated, problem=wanted not in _YES)


# --------------------------------------------------------------------------- values

Between = tuple[str, str]


def _seed(value: str, today: date) -> Between | None:
    number = re.fullmatch(r"0*(\d{1,20})", value, re.ASCII)
    return (number[1], number[1]) if number else None


def _size(value: str, today: date) -> Between | None:
    """`512x768`, or `512` for either side."""
    sides = re.fullmatch(r"0*(\d{1,6})(?:[x×*]0*(\d{1,6}))?", value, re.ASCII)
    return (sides[1], sides[2] or "") if sides else None


def _date(value: str, today: date) -> Between | None:
    """Days from the first to before the second, as ISO text; a part of a date is its beginning."""
    first, dots, last = value.partition("..")
    if dots:
        begin = _days(first, today) if first else ("", "")
        end = _days(last, today) if last else ("", "~")
        return (begin[0], end[1]) if begin and end else None
    sign = re.match(r"[<>]=?", value)
    if sign is None:
        return _days(value, today)
    span = _days(value[sign.end() :], today)
    if span is None:
        return None
    cut = span[0] if sign[0] in (">=", "<") else span[1]
    return ("", cut) if sign[0][0] == "<" else (cut, "~")


def _days(value: str, today: date) -> tuple[str, str] | None:
    spans = {
        "today": (0, 1),
        "yesterday": (1, 1),
        "week": (today.weekday(), 7),
        "month": (today.day - 1, 31),
        "year": (today.timetuple().tm_yday - 1, 366),
    }
    if value in spans:
        ago, long = spans[value]
        first = today - timedelta(ago)
        return first.isoformat(), (first + timedelta(long)).isoformat()
    value = re.sub(r"[./]", "-", value)
    if not re.fullmatch(r"\d{1,4}|\d{4}-\d{0,2}|\d{4}-\d{1,2}-\d{0,2}", value, re.ASCII):
        return None
    year, *rest = value.split("-")
    # 2026-1-5 is what people write for 2026-01-05.
    return _beginning("-".join([year, *(part.zfill(2) if part > "0" else part for part in rest)]))


def _beginning(prefix: str) -> tuple[str, str]:
    return prefix, prefix + "~"  # "~" comes after all that a date holds


_READERS: dict[str, Callable[[str, date], Between | None]] = {
    "seed": _seed,
    "size": _size,
    "date": _date,
}
