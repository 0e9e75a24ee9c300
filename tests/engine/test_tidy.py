"""Mending a written text: sentences cut off, things said twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.language.tidy import whole_sentences, without_repeats


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("It rains. The cat is", "It rains."),
        ("It rains. The cat sleeps.", "It rains. The cat sleeps."),
        ("“It rains.” The cat", "“It rains.”"),
        ("Pi is 3.14 and so", "Pi is 3.14 and so"),
        ("Is it? Well… it", "Is it? Well…"),
        ("天黑了。他们回", "天黑了。"),
        ("No end here", "No end here"),
        ("", ""),
        ("One.\n\nTwo and", "One."),
    ],
)
def test_a_text_ends_with_a_whole_sentence(text: str, whole: str) -> None:
    assert whole_sentences(text) == whole


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("It was the best the best the best day.", "It was the best day."),
        ("The sea is wide. The sea is wide! It is blue.", "The sea is wide. It is blue."),
        ("A b c. D e f. A b c. D e f. A b", "A b c. D e f. A b"),
        ("Yes. Yes. Very, very good.", "Yes. Yes. Very, very good."),
        ("one two three\none two three\nfour", "one two three\nfour"),
        ("row, row, row your boat\n\nmerrily\n\nrow, row, row your boat",) * 2,
        ("", ""),
    ],
)
def test_things_said_twice_are_said_once(text: str, mended: str) -> None:
    assert without_repeats(text) == mended


@given(st.text(alphabet="ab .!?\n”", max_size=80))
def test_nothing_is_invented_and_mending_twice_changes_nothing_more(text: str) -> None:
    whole = whole_sentences(text)
    assert text.startswith(whole) and whole_sentences(whole) == whole
    once = without_repeats(text)
    assert len(once) <= len(text)
    letters = iter(text)
    assert all(letter in letters for letter in once)  # in the old order
