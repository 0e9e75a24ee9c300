"""What a model would go on with: tiny real models on both runtimes; the arithmetic of choice."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny_language_models as tiny
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper
from transformers.generation.logits_process import MinPLogitsWarper

from engine.errors import InvalidTask
from engine.events import Candidate, Candidates, Event, Saved
from engine.generators.next_tokens import NextTokens


@pytest.fixture(scope="module")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    room = tmp_path_factory.mktemp("next")
    return {
        "folder": tiny.save_folder(room / "base"),
        "gguf": tiny.save_gguf(room / "base.gguf"),
        "instruct folder": tiny.save_folder(room / "instruct", tiny.CHAT_TEMPLATE),
        "instruct gguf": tiny.save_gguf(room / "instruct.gguf", tiny.CHAT_TEMPLATE),
    }


@pytest.fixture
def look(tmp_path: Path) -> Callable[..., tuple[tuple[Candidate, ...], list[Event]]]:
    def run(model: Path, **fields: Any):
        events: list[Event] = []
        NextTokens(model=str(model), **fields).run(events.append, tmp_path)
        return next(e.tokens for e in events if isinstance(e, Candidates)), events

    return run


@pytest.mark.parametrize("kind", ["folder", "gguf"])
def test_the_likeliest_is_what_it_has_learned_to_say(look, tiny_models, kind) -> None:
    tokens, events = look(tiny_models[kind], prompt="The sea is")
    assert tiny.SENTENCES[0].startswith("The sea is" + tokens[0].text)
    assert tokens[0].text.strip() and tokens[0].probability > 0.5
    probabilities = [token.probability for token in tokens]
    assert probabilities == sorted(probabilities, reverse=True) and sum(probabilities) <= 1.0001
    saved = next(event.path for event in events if isinstance(event, Saved))
    assert json.loads(saved.read_text("utf-8"))["tokens"][0]["text"] == tokens[0].text


def test_both_runtimes_see_the_same(look, tiny_models) -> None:
    one, _ = look(tiny_models["folder"], prompt="The sea is wide")
    other, _ = look(tiny_models["gguf"], prompt="The sea is wide")
    assert [t.text for t in one[:3]] == [t.text for t in other[:3]]
    assert one[0].probability == pytest.approx(other[0].probability, abs=0.02)


@pytest.mark.parametrize("kind", ["instruct folder", "instruct gguf"])
def test_an_answer_is_looked_at_behind_its_question(look, tiny_models, kind) -> None:
    begun, _ = look(tiny_models[kind], prompt="Tell me", written="The sea is")
    alone, _ = look(tiny_models[kind], prompt="The sea is", apply_chat_template=False)
    assert begun[0].probability != alone[0].probability


@pytest.mark.parametrize("kind", ["folder", "gguf"])
def test_a_text_that_is_too_long_is_refused(look, tiny_models, kind) -> None:
    with pytest.raises(InvalidTask, match="can read and write 256 together"):
        look(tiny_models[kind], prompt="sea " * 500)


def test_nothing_is_written_when_it_is_only_looked_at(look, tiny_models, tmp_path) -> None:
    look(tiny_models["folder"], prompt="The sea is", save=False)
    assert list(tmp_path.iterdir()) == []


def test_without_variation_only_the_likeliest_has_a_chance() -> None:
    assert NextTokens(prompt="x", do_sample=False).chances([0.5, 0.3, 0.2]) == [1.0, 0.0, 0.0]


@given(
    weights=st.lists(st.integers(1, 1000), min_size=2, max_size=30, unique=True),
    temperature=st.floats(0.2, 3.0),
    top_k=st.integers(0, 12),
    top_p=st.floats(0.05, 0.99),
    min_p=st.floats(0.0, 0.5),
)
def test_the_chances_are_those_of_transformers(weights, temperature, top_k, top_p, min_p) -> None:
    top_p, min_p = top_p + 0.00317, min_p + 0.00011  # no border is met exactly
    probabilities = sorted((w / sum(weights) for w in weights), reverse=True)
    scores = torch.tensor([probabilities], dtype=torch.float64).log()
    scores = TemperatureLogitsWarper(temperature)(None, scores)
    if top_k:
        scores = TopKLogitsWarper(top_k)(None, scores)
    scores = TopPLogitsWarper(top_p)(None, scores)
    expected = MinPLogitsWarper(min_p)(None, scores).softmax(-1)[0].tolist()
    task = NextTokens(prompt="x", temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p)
    ours = task.chances(probabilities)
    assert ours == pytest.approx(expected, abs=1e-6)
