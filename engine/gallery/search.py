"""Turns what a person looks for into SQL, and answers with the numbers of the pictures."""

from __future__ import annotations

import sqlite3
from array import array
from enum import Enum

from engine.gallery.query import Query, Term
from engine.gallery.words import stands_alone, words

EVERYWHERE = ("prompt", "model", "tags", "notes", "name")
"""Where a plain word is looked for: not in what a picture was to avoid."""
# How much a word counts for the best match: prompt, negative, model, task, tags, notes, name.
WEIGHTS = (10.0, 0.5, 2.0, 1.0, 8.0, 5.0, 2.0)


class Order(Enum):
    NEWEST = "newest"
    OLDEST = "oldest"
    BEST = "best"


def find(connection: sqlite3.Connection, query: Query, order: Order) -> array[int]:
    """The numbers of the pictures for which all of `query` holds, in order."""
    if any(term.problem and not term.negated for term in query.terms):
        return array("q")
    looked_for = query.words
    conditions: list[str] = []
    values: list[object] = []
    if looked_for:
        source = "words JOIN pictures ON pictures.id = words.rowid"
        conditions.append("words MATCH ?")
        values.append(" AND ".join(_match(term) for term in looked_for))
    else:
        source = "pictures"
    for term in query.terms:
        if term not in looked_for and not term.problem:
            condition, needed = _condition(term)
            conditions.append(f"NOT ({condition})" if term.negated else condition)
            values += needed
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    rows = connection.execute(
        f"SELECT pictures.id FROM {source} {where} ORDER BY {_ordering(order, bool(looked_for))}",
        values,
    )
    return array("q", (row[0] for row in rows))


def _ordering(order: Order, has_words: bool) -> str:
    newest = "pictures.modified DESC, pictures.id DESC"
    if order is Order.BEST and has_words:
        return f"bm25(words, {', '.join(map(str, WEIGHTS))}), {newest}"
    return "pictures.modified, pictures.id" if order is Order.OLDEST else newest


def _condition(term: Term) -> tuple[str, list[object]]:
    if term.field == "star":
        return "pictures.star", []
    if term.field == "seed":
        return "pictures.seed = ?", [term.low]
    if term.field == "date":
        return "pictures.day >= ? AND pictures.day < ?", [term.low, term.high]
    if term.field == "size":
        if term.high:
            return "pictures.width = ? AND pictures.height = ?", [int(term.low), int(term.high)]
        return "? IN (pictures.width, pictures.height)", [int(term.low)]
    return "pictures.id IN (SELECT rowid FROM words WHERE words MATCH ?)", [_match(term)]


def _match(term: Term) -> str:
    """The words of a term one after the other, the last one perhaps only begun, in FTS5's terms."""
    found = words(term.text)
    phrase = f'"{" ".join(found)}"'
    if not term.exact and not stands_alone(found[-1]):
        phrase += " *"
    fields = (term.field,) if term.field else EVERYWHERE
    return f"{{{' '.join(fields)}}} : {phrase}"
