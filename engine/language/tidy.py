"""What can be mended in a text once it is written: a sentence cut off, things said twice."""

from __future__ import annotations

import re

_SENTENCE_END = re.compile(r"(?:[.!?…]+[\"'”’»)\]*_]*(?=\s|\Z))|(?:[。！？]+[」』”’）]*)")
_SAID_AGAIN = re.compile(r"\b(\w+(?:[ \t]+\w+){1,7})(?:[ \t]+\1\b)+", re.IGNORECASE)
FEWEST_WORDS = 3
"""A sentence of fewer words may well come twice: “Yes, yes.”"""


def whole_sentences(text: str) -> str:
    """The text up to the end of its last whole sentence; all of it, if there is none."""
    ends = [found.end() for found in _SENTENCE_END.finditer(text)]
    return text[: ends[-1]] if ends else text


def without_repeats(text: str) -> str:
    """The text without phrases said twice in a row, without sentences that their paragraph has had
    before, and without lines that repeat the line before them. Verses that come again later stay.
    """
    lines: list[str] = []
    before = ""
    for line in text.split("\n"):
        told = _without_said(_SAID_AGAIN.sub(r"\1", line))
        key = _key(told)
        if key and key == before and len(key.split()) >= FEWEST_WORDS:
            continue
        lines.append(told)
        before = key or before
    return "\n".join(lines)


def _without_said(line: str) -> str:
    """One paragraph, each of its sentences once."""
    ends = [found.end() for found in _SENTENCE_END.finditer(line)]
    starts = [0, *ends]
    said: set[str] = set()
    kept = []
    for start, end in zip(starts, [*ends, len(line)], strict=True):
        sentence = line[start:end]
        key = _key(sentence)
        if len(key.split()) >= FEWEST_WORDS and key in said:
            continue
        said.add(key)
        kept.append(sentence)
    return "".join(kept)


def _key(text: str) -> str:
    """Alike for texts that differ in blanks, signs and capitals alone."""
    return " ".join(re.findall(r"\w+", text.casefold()))
