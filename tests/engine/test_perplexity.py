"""Perplexity against a plain loop that predicts one token at a time."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import GPT2Config, GPT2LMHeadModel

from engine.errors import Cancelled
from engine.language import perplexity
from engine.language.perplexity import Perplexity, measure, windows

COUNT = 70


@pytest.fixture(scope="module")
def model() -> Any:
    torch.manual_seed(0)
    shape = {"vocab_size": 50, "n_positions": 16, "n_embd": 32, "n_layer": 2, "n_head": 2}
    built = GPT2LMHeadModel(GPT2Config(**shape, initializer_range=0.5))
    return built.train()  # with dropout, which measuring must leave out


@pytest.fixture(scope="module")
def tokens() -> torch.Tensor:
    return torch.randint(0, 50, (COUNT,), generator=torch.Generator().manual_seed(1))


def one_by_one(model: Any, tokens: torch.Tensor, context: int, stride: int) -> float:
    """Each token from what the first window that reaches it holds before it."""
    losses = []
    model.eval()
    for place in range(1, len(tokens)):
        begin = 0
        while begin + context < place:
            begin += stride
        with torch.no_grad():
            logits = model(input_ids=tokens[None, begin:place]).logits[0, -1].double()
        losses.append(-logits.log_softmax(0)[tokens[place]].item())
    model.train()
    return sum(losses) / len(losses)


@pytest.mark.parametrize(("context", "stride"), [(16, 16), (16, 8), (16, 1), (7, 3), (16, 5)])
def test_it_is_what_a_plain_loop_finds(
    model: Any, tokens: torch.Tensor, context: int, stride: int
) -> None:
    found = measure(model, tokens, context, stride)
    assert found.loss == pytest.approx(one_by_one(model, tokens, context, stride), rel=1e-5)
    assert (found.tokens, found.context, found.stride) == (COUNT - 1, context, stride)
    assert found.value == pytest.approx(math.exp(found.loss))


def test_small_batches_change_nothing_but_rounding(
    model: Any, tokens: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = measure(model, tokens, 16, 4).loss
    monkeypatch.setattr(perplexity, "LOGITS", 1)
    assert measure(model, tokens, 16, 4).loss == pytest.approx(together, rel=1e-6)


def test_a_text_shorter_than_the_context_is_one_window(model: Any, tokens: torch.Tensor) -> None:
    found = measure(model, tokens[:5], 16, 4)
    assert found.tokens == 4
    assert found.loss == pytest.approx(one_by_one(model, tokens[:5], 16, 4), rel=1e-5)


def test_measuring_leaves_no_trace(model: Any, tokens: torch.Tensor) -> None:
    before = torch.get_rng_state()
    first = measure(model, tokens, 16, 8)
    assert measure(model, tokens, 16, 8) == first
    assert model.training and torch.get_rng_state().equal(before)
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_part_of_the_text_is_spread_over_it(model: Any, tokens: torch.Tensor) -> None:
    part = measure(model, tokens.repeat(20), 16, 16, most=200)
    assert 150 <= part.tokens <= 250


def test_it_can_be_stopped_in_between(model: Any, tokens: torch.Tensor) -> None:
    def stop(done: int, total: int) -> None:
        assert total == COUNT - 1
        if done:
            raise Cancelled

    with pytest.raises(Cancelled):
        measure(model, tokens, 16, 4, stop)
    assert model.training


@given(st.integers(2, 300), st.integers(1, 40), st.data())
def test_every_token_but_the_first_is_predicted_once(
    count: int, context: int, data: st.DataObject
) -> None:
    stride = data.draw(st.integers(1, context))
    every = list(windows(count, context, stride))
    predicted = [p for window in every for p in range(window.first, window.end + 1)]
    assert predicted == list(range(1, count))
    for window in every:
        assert 0 < window.end - window.begin <= context and window.first > window.begin
        enough = window.first - window.begin >= context - stride + 1
        assert enough or window.begin == 0


@pytest.mark.parametrize("stride", [0, 17])
def test_a_stride_that_leaves_gaps_is_refused(stride: int) -> None:
    with pytest.raises(ValueError, match="gaps"):
        list(windows(70, 16, stride))


def test_units() -> None:
    found = Perplexity(math.log(2), 80, 16, 8)
    assert found.value == pytest.approx(2)
    assert found.bits_per_byte(160) == pytest.approx(0.5)
    assert Perplexity(1e6, 1, 1, 1).value == math.inf
