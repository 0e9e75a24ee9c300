"""From tokens to text on the screen: whole characters only, and nothing of a stop string."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.events import Report, Token

UNFINISHED = "\N{REPLACEMENT CHARACTER}"
"""What a decoder puts where the bytes of a character are not all there yet."""


class TextStream:
    """Passes text on as Token events and holds back what may be the beginning of a stop string."""

    def __init__(self, stop: Sequence[str], report: Report) -> None:
        self._stop = stop
        self._report = report
        self._held = ""
        self._sent: list[str] = []
        self.stopped = False
        """Whether a stop string has come; what follows it is dropped."""

    @property
    def text(self) -> str:
        return "".join(self._sent)

    def add(self, text: str) -> None:
        if self.stopped:
            return
        self._held += text
        start = find_stop(self._held, self._stop)
        if start is not None:
            self._held = self._held[:start]
            self.stopped = True
            self.close()
        else:
            self._send(len(self._held) - _length_held_back(self._held, self._stop))

    def close(self) -> None:
        """Nothing comes any more: what looked like a stop string was none."""
        self._send(len(self._held))

    def _send(self, length: int) -> None:
        text, self._held = self._held[:length], self._held[length:]
        if text:
            self._sent.append(text)
            self._report(Token(text))


def find_stop(text: str, stop: Sequence[str]) -> int | None:
    """Where the stop string that is complete first begins, however the text is cut into pieces."""
    found = [(text.index(s) + len(s), text.index(s)) for s in stop if s in text]
    return min(found)[1] if found else None


def _length_held_back(text: str, stop: Sequence[str]) -> int:
    """Length of the longest end of `text` with which a stop string begins."""
    longest = max((len(s) - 1 for s in stop), default=0)
    return next(
        (
            n
            for n in range(min(longest, len(text)), 0, -1)
            if any(s.startswith(text[-n:]) for s in stop)
        ),
        0,
    )


class TokenDecoder:
    """Text of token ids that come one by one.

    What a token says depends on its neighbours (spaces, characters of several bytes), so the last
    few are decoded together, with and without the new ones, and the difference is new text.
    """

    def __init__(self, decode: Callable[[list[int]], str], prompt_ids: Sequence[int] = ()) -> None:
        self._decode = decode
        self._ids = list(prompt_ids)
        self._known = len(self._ids)
        """How many of `_ids` have been passed on; they are the left neighbours of the others."""

    def add(self, token_ids: Sequence[int]) -> str:
        """The text that has become certain."""
        self._ids += token_ids
        before, after = self._decode(self._ids[: self._known]), self._decode(self._ids)
        if len(after) <= len(before) or after.endswith(UNFINISHED):
            return ""
        self._ids = self._ids[self._known :]
        self._known = len(self._ids)
        return after[len(before) :]

    def close(self) -> str:
        """The rest, even when it ends in the middle of a character."""
        before, after = self._decode(self._ids[: self._known]), self._decode(self._ids)
        return after[len(before) :].rstrip(UNFINISHED)
