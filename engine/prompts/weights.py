r"""Weights in a prompt as A1111 has them: `(word)`, `[word]`, `(word:1.2)`, and `\(` for itself.

Anything a person types is a prompt: brackets without a partner stand for themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

STEP = 1.1
"""What a pair of brackets without a number multiplies by, or divides by."""
HEAVIEST = 10.0
"""Weights beyond it, in either direction, count as this much; no picture survives them."""

_TOKEN = re.compile(
    r"\\[\\()\[\]{}|_]"  # what stands for itself
    r"|:\s*+(?P<number>[+-]?(?:\d++(?:\.\d*+)?|\.\d++))\s*+\)"
    r"|[()\[\]\\:]"
    r"|[^\\()\[\]:]+"
)
_PARTNER = {")": "(", "]": "["}


@dataclass(frozen=True)
class Piece:
    """A stretch of the prompt. The `raw` of all pieces, joined, is the prompt as it was typed."""

    raw: str
    text: str
    """What the model reads of it: nothing of a bracket, `(` of an escaped one."""
    weight: float
    start: int
    """Where `raw` begins in the prompt."""


@dataclass(frozen=True)
class Group:
    """A pair of brackets: `start` and `end` enclose it, `inner_end` is where its text ends."""

    start: int
    inner_end: int
    end: int
    weight: float

    def holds(self, start: int, end: int) -> bool:
        """Whether the stretch from `start` to `end` lies within its text."""
        return self.start < start and end <= self.inner_end


def parse(prompt: str) -> list[Piece]:
    """The prompt in pieces of one weight each; every text is one."""
    pieces = [_piece(match) for match in _TOKEN.finditer(prompt)]
    factors: dict[int, float] = {}
    closing: set[int] = set()
    for opened, closed, factor in _pairs(pieces):
        factors[opened] = factor
        closing.add(closed)
    weights = [1.0]
    for index, piece in enumerate(pieces):
        if index in factors:
            weights.append(max(-HEAVIEST, min(weights[-1] * factors[index], HEAVIEST)))
        syntax = index in factors or index in closing
        pieces[index] = replace(piece, text="" if syntax else piece.text, weight=weights[-1])
        if index in closing:
            weights.pop()
    return pieces


def plain_text(pieces: Iterable[Piece]) -> str:
    """What the model reads."""
    return "".join(piece.text for piece in pieces)


def is_weighted(pieces: Iterable[Piece]) -> bool:
    return any(piece.weight != 1 and not piece.text.isspace() and piece.text for piece in pieces)


def groups(prompt: str) -> list[Group]:
    """The pairs of brackets in it, inner ones before those around them."""
    pieces = [_piece(match) for match in _TOKEN.finditer(prompt)]
    return [
        Group(pieces[opened].start, pieces[closed].start, _end(pieces[closed]), factor)
        for opened, closed, factor in _pairs(pieces)
    ]


def is_balanced(prompt: str) -> bool:
    """Whether every bracket in it has its partner, so that others may be put around it."""
    return not set("()[]") & {piece.text for piece in parse(prompt) if piece.raw == piece.text}


def _piece(match: re.Match[str]) -> Piece:
    raw = match[0]
    escaped = len(raw) == 2 and raw[0] == "\\"
    return Piece(raw, raw[1] if escaped else raw, 1.0, match.start())


def _end(piece: Piece) -> int:
    return piece.start + len(piece.raw)


def _pairs(pieces: list[Piece]) -> Iterator[tuple[int, int, float]]:
    """(index of the opening, of the closing, factor) of each pair; the inner ones first."""
    opened: list[int] = []
    for index, piece in enumerate(pieces):
        if piece.raw in ("(", "["):
            opened.append(index)
        elif opened and piece.raw[-1] in _PARTNER and piece.raw == piece.text:
            if pieces[opened[-1]].raw != _PARTNER[piece.raw[-1]]:
                continue
            yield opened.pop(), index, _factor(piece.raw)


def _factor(closing: str) -> float:
    if closing[0] == ":":
        return float(closing[1:-1])
    return STEP if closing == ")" else 1 / STEP
