"""Changing a text: what an instruct model is told, and who cannot be told anything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tiny_language_models as tiny

from engine.errors import InvalidTask
from engine.events import Event, Saved, Token
from engine.generators.rework_text import CHANGES, ReworkText


def test_the_model_is_told_what_to_do_and_shown_the_text() -> None:
    for change in CHANGES:
        told = ReworkText(prompt=" A red fox.\n", change=change, language=" French ").instruction
        assert told.endswith("\n\nA red fox.")
        assert ("French" in told) == (change == "translate")
        assert "{" not in told


def test_a_text_with_braces_is_left_as_it_is() -> None:
    assert ReworkText(prompt="{language} {0}").instruction.endswith("{language} {0}")


def test_without_a_language_nothing_is_translated() -> None:
    with pytest.raises(InvalidTask, match="no language"):
        ReworkText(prompt="a", change="translate", language=" ")
    ReworkText(prompt="a", change="shorten", language="")


@pytest.mark.parametrize("kind", ["folder", "gguf"])
def test_an_instruct_model_answers_with_the_new_text_alone(kind: str, tmp_path: Path) -> None:
    save = {"folder": tiny.save_folder, "gguf": tiny.save_gguf}[kind]
    model = save(tmp_path / ("m.gguf" if kind == "gguf" else "m"), tiny.CHAT_TEMPLATE)
    events: list[Event] = []
    task = ReworkText(prompt="The sea is", model=str(model), max_new_tokens=8, do_sample=False)
    task.run(events.append, tmp_path / "out")
    (text, record) = [event.path for event in events if isinstance(event, Saved)]
    written = "".join(event.text for event in events if isinstance(event, Token))
    assert written and text.read_text("utf-8") == written
    told = json.loads(record.read_text("utf-8"))
    assert (told["task"], told["continues_prompt"]) == ("rework_text", False)
    assert told["prompt_tokens"] > 30, "the instruction is a part of what it read"


def test_a_base_model_follows_no_instructions(tmp_path: Path) -> None:
    model = tiny.save_folder(tmp_path / "base")
    with pytest.raises(InvalidTask, match="follows no instructions"):
        ReworkText(prompt="a", model=str(model)).run(lambda event: None, tmp_path / "out")
    assert not list((tmp_path / "out").glob("*"))
