"""Stop strings and half characters: the same text comes out however it is cut into pieces."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from engine.events import Token
from engine.language.streaming import TextStream, TokenDecoder, find_stop

LETTERS = st.text("abc\n", max_size=30)
STOPS = st.lists(st.text("abc\n", min_size=1, max_size=4), max_size=3)


def streamed(pieces: list[str], stop: list[str]) -> list[str]:
    sent: list[str] = []
    stream = TextStream(stop, lambda event: sent.append(event.text))
    for piece in pieces:
        stream.add(piece)
    stream.close()
    assert stream.text == "".join(sent)
    return sent


def cut(text: str, places: list[int]) -> list[str]:
    edges = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[a:b] for a, b in pairwise(edges)]


@given(LETTERS, STOPS, st.lists(st.integers(0, 100), max_size=8))
@example("abcd", ["abcd", "bc"], [1, 2, 3])
def test_pieces_do_not_matter(text: str, stop: list[str], places: list[int]) -> None:
    start = find_stop(text, stop)
    expected = text if start is None else text[:start]
    assert "".join(streamed(cut(text, places), stop)) == expected
    assert "".join(streamed(list(text), stop)) == expected
    assert find_stop(expected, stop) is None


@given(LETTERS, STOPS)
def test_nothing_of_a_stop_string_is_ever_shown(text: str, stop: list[str]) -> None:
    start = find_stop(text, stop)
    stream = TextStream(stop, lambda event: None)
    for letter in text:
        stream.add(letter)
        assert text[:start].startswith(stream.text)


def test_what_only_looked_like_a_stop_string_comes_at_once_when_it_is_none() -> None:
    assert streamed(["a #", "#", " b"], ["###"]) == ["a ", "## b"]


def test_text_without_stop_strings_is_not_held_back() -> None:
    assert streamed(["a", "b"], []) == ["a", "b"]


def test_events_are_tokens() -> None:
    events: list[object] = []
    TextStream((), events.append).add("x")
    assert events == [Token("x")]


@given(st.text(max_size=20))
@example("日本 🦊")
def test_characters_are_never_broken(text: str) -> None:
    """Each byte a token, the finest that a tokenizer can be."""
    decoder = TokenDecoder(lambda ids: bytes(ids).decode("utf-8", "replace"))
    pieces = [decoder.add([byte]) for byte in text.encode()]
    assert "".join(pieces) + decoder.close() == text
    assert "\N{REPLACEMENT CHARACTER}" not in "".join(pieces) or "\ufffd" in text


def test_the_first_token_keeps_its_space_beside_the_prompt() -> None:
    words = ["▁The", "▁sea", "▁is"]

    def decode(ids: list[int]) -> str:  # like SentencePiece: no space at the start of a text
        return "".join(words[i] for i in ids).replace("▁", " ").removeprefix(" ")

    decoder = TokenDecoder(decode, prompt_ids=[0])
    assert decoder.add([1]) + decoder.add([2]) == " sea is"
