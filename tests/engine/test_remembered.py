"""What is remembered is only a help: losing it is never an error."""

from __future__ import annotations

import pytest

from engine import folders
from engine.remembered import remember, remembered

NAME = "some.json"


def test_what_was_remembered_is_there_again() -> None:
    assert remembered(NAME) == {}
    remember(NAME, {"a": 1})
    assert remembered(NAME) == {"a": 1}


@pytest.mark.parametrize("spoiled", ["", "{", "[1]", "[" * 100_000, "\ud800"])
def test_a_spoiled_file_is_forgotten_and_written_anew(spoiled: str) -> None:
    remember(NAME, {"a": 1})
    (folders.cache() / NAME).write_bytes(spoiled.encode("utf-8", "surrogatepass"))
    assert remembered(NAME) == {}
    remember(NAME, {"b": 2})
    assert remembered(NAME) == {"b": 2}


def test_where_it_cannot_be_written_nothing_is_said() -> None:
    (folders.cache() / NAME).mkdir(parents=True)
    remember(NAME, {"a": 1})
    assert remembered(NAME) == {}
