"""Templates of prompts: their places, the person's own on the disk, a file that is no list."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from faults import assert_nothing_is_lost
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import FileError
from engine.prompts import templates
from engine.prompts.templates import Template, places


def test_those_of_the_studio_have_places_in_two_languages() -> None:
    shipped = templates.shipped()
    assert Counter(one.language for one in shipped).keys() == {"en", "zh"}
    assert min(Counter(one.language for one in shipped).values()) >= 12
    assert len({(one.language, one.name) for one in shipped}) == len(shipped)
    assert all(places(one.prompt) for one in shipped)
    assert {one.few_shot for one in shipped} == {True, False}


def test_places_are_told_once_in_their_order() -> None:
    assert places("{b} and {a}, {b} again; {} {x\ny} {{c}}") == ("{b}", "{a}", "{c}")


@given(st.text())
def test_every_place_stands_in_the_text(text: str) -> None:
    found = places(text)
    assert len(set(found)) == len(found)
    assert all(place in text and place.count("{") == 1 for place in found)


def test_a_prompt_that_begins_its_answer_is_few_shot() -> None:
    assert Template("a", "Q: 1\nA: one\n\nQ: {q}\nA: ").few_shot
    assert not Template("a", "Write about {topic}.").few_shot


def test_ones_own_are_kept_in_their_order_and_replaced_by_name() -> None:
    assert templates.own() == ()
    first, second = Template("one", "{a}"), Template("two", "b")
    templates.keep(first)
    templates.keep(second)
    templates.keep(Template("one", "{c}"))
    assert templates.own() == (second, Template("one", "{c}"))
    templates.save_own([second])
    assert templates.own() == (second,)


def test_a_failing_disk_loses_no_template() -> None:
    templates.keep(Template("one", "{a}"))
    path = templates.own_file()
    assert_nothing_is_lost(path.parent, lambda: templates.keep(Template("two", "b")), path)


@pytest.mark.parametrize(
    "content",
    [
        "no json",
        "{}",
        "[3]",
        json.dumps([{"name": "a"}]),
        json.dumps([{"name": "", "prompt": "b"}]),
        json.dumps([{"name": "a\nb", "prompt": "b"}]),
        json.dumps([{"name": "a", "prompt": 3}]),
    ],
)
def test_a_file_that_is_no_list_of_templates_is_named(content: str) -> None:
    templates.own_file().parent.mkdir(parents=True, exist_ok=True)
    templates.own_file().write_text(content, encoding="utf-8")
    with pytest.raises(FileError, match=r"templates\.json cannot be read"):
        templates.own()


def test_a_name_is_one_short_line() -> None:
    assert templates.proper_name(" a\n b\t") == "a b"
    assert len(templates.proper_name("x" * 100)) == templates.LONGEST_NAME
