"""The language of the search field: what a person guesses works, and nothing they type fails."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.gallery.query import KEYS, MOST_TERMS, Query, Term, parse
from engine.gallery.words import indexed, words

TODAY = date(2026, 11, 22)  # a Sunday


def only(text: str) -> Term:
    [term] = parse(text, TODAY).terms
    return term


def told(text: str) -> list[tuple[str, str]]:
    return [(term.field, term.text) for term in parse(text, TODAY).terms]


def test_words_phrases_and_filters_stand_beside_each_other() -> None:
    asked = 'fox "in the snow" model:stickers seed:42 tag:cat date:2026-11 star'
    assert told(asked) == [
        ("", "fox"),
        ("", "in the snow"),
        ("model", "stickers"),
        ("seed", "42"),
        ("tags", "cat"),
        ("date", "2026-11"),
        ("star", "star"),
    ]


@pytest.mark.parametrize("text", ["star", "starred", "★", "*", "is:star", "is:starred", "star:yes"])
def test_starred_is_said_in_many_ways(text: str) -> None:
    assert (only(text).field, only(text).negated, only(text).problem) == ("star", False, False)


@pytest.mark.parametrize("text", ["-star", "star:no", "-is:starred"])
def test_not_starred_too(text: str) -> None:
    assert (only(text).field, only(text).negated) == ("star", True)


@pytest.mark.parametrize("text", ['"star"', "starfish", "prompt:star", "-starfish"])
def test_the_word_star_can_be_looked_for(text: str) -> None:
    assert only(text).field in ("", "prompt")


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("2026", "2026", "2026~"),
        ("2026-11", "2026-11", "2026-11~"),
        ("2026-11-05", "2026-11-05", "2026-11-05~"),
        ("2026-11-5", "2026-11-05", "2026-11-05~"),
        ("2026/11/05", "2026-11-05", "2026-11-05~"),
        ("2026-1", "2026-01", "2026-01~"),
        ("today", "2026-11-22", "2026-11-23"),
        ("Yesterday", "2026-11-21", "2026-11-22"),
        ("week", "2026-11-16", "2026-11-23"),
        ("month", "2026-11-01", "2026-12-02"),
        ("2026-10..2026-11", "2026-10", "2026-11~"),
        ("..2026-11", "", "2026-11~"),
        ("2026-11..", "2026-11", "~"),
        (">2026-11-05", "2026-11-05~", "~"),
        (">=2026-11-05", "2026-11-05", "~"),
        ("<2026-11-05", "", "2026-11-05"),
        ("<=2026-11-05", "", "2026-11-05~"),
    ],
)
def test_dates(text: str, low: str, high: str) -> None:
    term = only(f"date:{text}")
    assert (term.low, term.high, term.problem) == (low, high, False)


@pytest.mark.parametrize("text", ["seed:abc", "date:soon", "date:2026-11-05-1", "size:big", "is:x"])
def test_a_value_that_makes_no_sense_says_so(text: str) -> None:
    assert only(text).problem


@pytest.mark.parametrize("text", ["seed:", "date:", "model:", "tag:", 'tag:""', "-", "()", " ", ""])
def test_what_is_still_being_typed_asks_for_nothing(text: str) -> None:
    assert parse(text).terms == ()


def test_what_is_no_filter_is_looked_for() -> None:
    assert told("http://foo/bar") == [("", "http://foo/bar")]
    assert told("12:30") == [("", "12:30")]
    assert told("ratio:wide") == [("", "ratio wide")]


def test_other_keyboards_write_other_signs() -> None:
    assert told("tag：猫 “red fox” 「白い」") == [("tags", "猫"), ("", "red fox"), ("", "白い")]


def test_a_filter_can_be_taken_away() -> None:
    query = parse('red model:"sd 1.5" fox')
    assert query.without(query.terms[1]) == "red fox"
    assert parse("model:x").without(parse("model:x").terms[0]) == ""


def test_a_whole_book_is_no_more_than_a_few_terms() -> None:
    assert len(parse("word " * 10_000).terms) == MOST_TERMS


@given(st.text())
def test_anything_can_be_typed(text: str) -> None:
    query = parse(text)
    assert len(query.terms) <= MOST_TERMS
    for term in query.terms:
        assert 0 <= term.start < term.end <= len(query.text)
        parse(query.without(term))


TOKENS = st.sampled_from(
    [*KEYS, *':："“*-★()<>.', "..", " ", "2026", "-11", "star", "狐狸", "🦊", "\0"]
)


@given(st.lists(TOKENS).map("".join))
def test_any_mixture_of_the_signs_of_the_language_can_be_typed(text: str) -> None:
    assert isinstance(parse(text), Query)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A Red-Fox, 3d!", ["a", "red", "fox", "3d"]),
        ("Café ÉCLAIR", ["cafe", "eclair"]),
        ("Straße", ["strasse"]),
        ("一只狐狸", ["一", "只", "狐", "狸"]),
        ("fox狐", ["fox", "狐"]),
        ("ＦＯＸ", ["fox"]),
        ("🦊❤️", ["🦊", "❤"]),
        ("гепард", ["гепард"]),
        ("고양이 그림", ["고양이", "그림"]),
        ("แมว", ["แ", "ม", "ว"]),
        ("!?", []),
    ],
)
def test_words_of_any_script(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@given(st.text())
def test_what_is_indexed_stays_the_same_when_it_is_cut_again(text: str) -> None:
    once = indexed(text)
    assert indexed(once) == once
    assert not any(sign in once for sign in "\"*:(){}^+-'\0\n")
