"""Chat with tiny real models on both runtimes: what was said before, what finds no room."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny_language_models as tiny

from engine.errors import InvalidTask
from engine.events import ContextUse, Event, Saved
from engine.generators.chat_answer import ChatAnswer, newest
from engine.language import llama_cpp

HISTORY = [
    {"role": "user", "content": "Is the sea wide?"},
    {"role": "assistant", "content": "The sea is wide."},
]


@pytest.fixture(scope="module")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    room = tmp_path_factory.mktemp("chat")
    return {
        "folder": tiny.save_folder(room / "instruct", tiny.CHAT_TEMPLATE),
        "gguf": tiny.save_gguf(room / "instruct.gguf", tiny.CHAT_TEMPLATE),
        "base": tiny.save_folder(room / "base"),
    }


@pytest.fixture(params=["folder", "gguf"])
def model(request: pytest.FixtureRequest, tiny_models: dict[str, Path]) -> str:
    return str(tiny_models[request.param])


@pytest.fixture
def answer(tmp_path: Path) -> Callable[..., tuple[list[Event], dict[str, Any]]]:
    """Runs the task; returns its events and its record."""

    def run(model: str, history: list[dict[str, str]], prompt: str = "The sea is", **fields: Any):
        events: list[Event] = []
        values = {"max_new_tokens": 8, "do_sample": False} | fields
        task = ChatAnswer(prompt=prompt, model=model, history=json.dumps(history), **values)
        task.run(events.append, tmp_path / "out")
        record = next(e.path for e in events if isinstance(e, Saved) and e.path.suffix == ".json")
        return events, json.loads(record.read_text("utf-8"))

    return run


def use(events: list[Event]) -> ContextUse:
    return next(event for event in events if isinstance(event, ContextUse))


def test_the_model_reads_what_was_said_before(answer, model) -> None:
    alone, _ = answer(model, [])
    after, record = answer(model, HISTORY)
    assert use(after).tokens > use(alone).tokens + 10
    assert use(after).limit == tiny.CONTEXT
    assert record["fields"]["history"] == json.dumps(HISTORY)
    assert record["forgotten_messages"] == use(after).forgotten == 0


def test_the_oldest_messages_are_left_out_and_counted_when_there_is_no_room(answer, model) -> None:
    events, record = answer(model, HISTORY * 12)
    assert 0 < use(events).forgotten < 24
    assert use(events).forgotten % 2 == 0  # what is left begins with the person
    assert use(events).tokens <= tiny.CONTEXT
    assert record["forgotten_messages"] == use(events).forgotten


def test_an_answer_has_the_room_it_asks_for(answer, model) -> None:
    events, record = answer(model, HISTORY * 4, max_new_tokens=10_000)
    assert use(events).forgotten or use(events).tokens <= tiny.CONTEXT * 3 // 4 + 64
    assert record["end"] != "context" or record["new_tokens"] >= tiny.CONTEXT // 4


def test_a_message_that_alone_is_too_long_is_refused(answer, model) -> None:
    with pytest.raises(InvalidTask, match="can read and write 256 together") as refused:
        answer(model, HISTORY, prompt="sea " * 400)
    assert refused.value.field == "prompt"


def test_what_was_read_for_the_message_before_is_not_read_again(
    answer, tiny_models, monkeypatch
) -> None:
    cached: list[int] = []
    chunks = llama_cpp.LlamaCppModel._chunks

    def watched(model: llama_cpp.LlamaCppModel, body: dict[str, object]):
        for chunk in chunks(model, body):
            cached.append(chunk.get("timings", {}).get("cache_n", 0))
            yield chunk

    monkeypatch.setattr(llama_cpp.LlamaCppModel, "_chunks", watched)
    _first, _ = answer(str(tiny_models["gguf"]), [])
    cached.clear()
    said = [
        {"role": "user", "content": "The sea is"},
        {"role": "assistant", "content": "wide and blue."},
    ]
    answer(str(tiny_models["gguf"]), said, prompt="And the fox?")
    assert max(cached) > 3


def test_a_base_model_cannot_chat(answer, tiny_models) -> None:
    with pytest.raises(InvalidTask, match="only continues a text"):
        answer(str(tiny_models["base"]), [])


@pytest.mark.parametrize(
    "history",
    [
        "{",
        "3",
        '["hello"]',
        '[{"role": "user"}]',
        '[{"role": "system", "content": "x"}]',
        "[" * 9999,
        '[{"role": "user", "content": 3}]',
    ],
)
def test_a_history_that_is_none_is_refused(history: str) -> None:
    with pytest.raises(InvalidTask) as refused:
        ChatAnswer(prompt="Hello", history=history)
    assert refused.value.field == "history"


def test_the_newest_begin_with_the_person_and_are_never_all() -> None:
    assert newest(HISTORY * 3, tokens=100, context_length=100) == HISTORY
    assert newest(HISTORY * 3, tokens=100, context_length=10_000) == HISTORY * 2
    assert newest(HISTORY, tokens=100, context_length=100) == []
    assert newest([], tokens=100, context_length=10) == []
