"""A chat that branches: what is shown, what is kept beside it, what a file brings back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from engine.chat_log import BEGINNING, ChatLog


def talk() -> ChatLog:
    log = ChatLog()
    question = log.add("user", "Why is the sky blue?", BEGINNING)
    answer = log.add("assistant", "Because of ", question)
    log.grow(answer, "scattering.")
    log.add("user", "Of what?", answer)
    return log


def said(log: ChatLog) -> list[str]:
    return [message.text for message in log.shown()]


def test_what_is_said_anew_stands_in_the_place_of_what_was_said() -> None:
    log = talk()
    log.add("assistant", "Because it is the sea.", 1)
    assert said(log) == ["Why is the sky blue?", "Because it is the sea."]
    assert log.alternatives(2) == [2, 4]
    log.choose(2)
    assert said(log) == ["Why is the sky blue?", "Because of scattering.", "Of what?"]


def test_deleting_takes_what_follows_and_shows_the_alternative_before() -> None:
    log = talk()
    third = log.add("assistant", "Another.", 1)
    log.choose(2)
    log.delete(2)
    assert said(log) == ["Why is the sky blue?", "Another."]
    assert 3 not in log and third in log
    log.delete(1)
    assert said(log) == []


def test_a_branch_holds_the_way_to_its_message_alone() -> None:
    log = talk()
    log.add("assistant", "Another.", 1)
    assert said(log.branch(2)) == ["Why is the sky blue?", "Because of scattering."]


def test_titles_and_the_text_of_it() -> None:
    assert ChatLog().title == ""
    assert talk().title == "Why is the sky blue?"
    long = ChatLog()
    long.add("user", "many   words\nand more " * 20, BEGINNING)
    assert long.title.startswith("many words and more") and long.title.endswith(" …")
    told = talk().branch(2).markdown({"user": "You", "assistant": "Model"})
    assert told == "**You**\n\nWhy is the sky blue?\n\n**Model**\n\nBecause of scattering.\n"


def test_a_file_brings_all_of_it_back() -> None:
    log = talk()
    log.add("assistant", "Another.", 1)
    log.choose(2)
    again = ChatLog.from_dict(json.loads(json.dumps(log.to_dict())))
    assert said(again) == said(log)
    assert again.to_dict() == log.to_dict()


ONE = {"number": 1, "parent": 0, "role": "user", "text": "Hello"}


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"messages": 3, "chosen": {}},
        {"messages": [], "chosen": []},
        {"messages": [ONE | {"parent": 1}], "chosen": {}},
        {"messages": [ONE | {"parent": 7}], "chosen": {}},
        {"messages": [ONE, ONE], "chosen": {}},
        {"messages": [ONE | {"role": "system"}], "chosen": {}},
        {"messages": [ONE | {"text": None}], "chosen": {}},
        {"messages": [ONE | {"number": "1"}], "chosen": {}},
        {"messages": [ONE | {"more": 1}], "chosen": {}},
        {"messages": [ONE], "chosen": {"first": 1}},
    ],
)
def test_what_is_no_chat_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        ChatLog.from_dict(told)


@given(st.dictionaries(st.integers(-3, 9).map(str), st.one_of(st.integers(), st.text())))
def test_a_choice_that_does_not_exist_shows_the_last(chosen: dict[str, Any]) -> None:
    log = ChatLog.from_dict(talk().to_dict() | {"chosen": chosen})
    assert said(log)[0] == "Why is the sky blue?"


class Talks(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.log = ChatLog()

    def any_number(self, data: st.DataObject) -> int:
        return data.draw(st.sampled_from([m["number"] for m in self.log.to_dict()["messages"]]))

    @rule(data=st.data(), role=st.sampled_from(["user", "assistant"]))
    def say(self, data: st.DataObject, role: Any) -> None:
        parents = [BEGINNING, *(m["number"] for m in self.log.to_dict()["messages"])]
        number = self.log.add(role, "x", data.draw(st.sampled_from(parents)))
        assert self.log.alternatives(number)[-1] == number

    @precondition(lambda self: self.log.shown())
    @rule(data=st.data())
    def choose(self, data: st.DataObject) -> None:
        number = self.any_number(data)
        self.log.choose(number)
        shown = [message.number for message in self.log.shown()]
        beside = set(self.log.alternatives(number))
        assert number in shown or not beside & set(shown)

    @precondition(lambda self: self.log.shown())
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        number = self.any_number(data)
        self.log.delete(number)
        assert number not in self.log

    @invariant()
    def a_file_tells_the_same(self) -> None:
        assert ChatLog.from_dict(self.log.to_dict()).shown() == self.log.shown()

    @invariant()
    def the_way_is_whole(self) -> None:
        shown = self.log.shown()
        assert [m.parent for m in shown] == [BEGINNING, *(m.number for m in shown[:-1])][
            : len(shown)
        ]


TestTalks = Talks.TestCase
