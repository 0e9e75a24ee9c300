"""Raises or lowers the weight of a part of a prompt, as a key press asks for it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.prompts.weights import HEAVIEST, Group, groups, is_balanced

_WORD = re.compile(r"[\w'-]+")


@dataclass(frozen=True)
class Emphasised:
    """The new text, and where in it the weighted words stand (without their brackets)."""

    text: str
    start: int
    end: int
    cut: tuple[int, int]
    """The stretch of the old text that `put` takes the place of."""
    put: str


def emphasise(text: str, start: int, end: int, step: float) -> Emphasised | None:
    """`text` with `step` added to the weight of what stands from `start` to `end`.

    Where nothing is selected (`start` is `end`), of the brackets around it, else of its word.
    None where there is nothing to weigh, or where it holds one half of a pair of brackets.
    """
    around = _around(text, start, end)
    if around is not None:
        start, end = around.start + 1, around.inner_end
        before, after, weight = around.start, around.end, around.weight
    else:
        start, end = _trimmed(text, start, end) if start < end else _word(text, start)
        before, after, weight = start, end, 1.0
    inner = text[start:end]
    if not inner.strip() or not is_balanced(inner):
        return None
    weight = round(max(0.0, min(weight + step, HEAVIEST)), 2)
    opening, closing = ("", "") if weight == 1 else ("(", f":{weight:g})")
    put = opening + inner + closing
    start = before + len(opening)
    changed = text[:before] + put + text[after:]
    return Emphasised(changed, start, start + len(inner), (before, after), put)


def _around(text: str, start: int, end: int) -> Group | None:
    """The round brackets that are meant: selected themselves, or just around what is."""
    left, right = _trimmed(text, start, end)
    for group in groups(text):
        if text[group.start] != "(":
            continue
        selected = (group.start, group.end) == (left, right)
        inside = group.holds(start, end)
        if selected or (inside and (start == end or _fills(text, group, left, right))):
            return group
    return None


def _fills(text: str, group: Group, start: int, end: int) -> bool:
    return text[start:end].strip() == text[group.start + 1 : group.inner_end].strip()


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    selected = text[start:end]
    return end - len(selected.lstrip()), start + len(selected.rstrip())


def _word(text: str, place: int) -> tuple[int, int]:
    for match in _WORD.finditer(text):
        if match.start() <= place <= match.end():
            return match.span()
    return place, place
