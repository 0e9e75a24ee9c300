"""Places in a text as Python counts them and as Qt does: it counts 😀 as two."""

from __future__ import annotations


def to_qt(text: str, place: int) -> int:
    return len(text[:place].encode("utf-16-le", "surrogatepass")) // 2


def from_qt(text: str, place: int) -> int:
    before = text.encode("utf-16-le", "surrogatepass")[: 2 * place]
    return len(before.decode("utf-16-le", "replace"))
