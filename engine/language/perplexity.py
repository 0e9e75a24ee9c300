"""Perplexity: how surprised a language model is by a text, measured with a sliding window.

exp of the mean negative log-likelihood of a token given those before it. A model reads `context`
tokens at most, so the window slides by `stride` tokens; each token is predicted once, from at least
`context - stride + 1` tokens where so many stand before it. As in the page on perplexity of
transformers' documentation, but that there the first token of a window without overlap is lost.

It depends on the tokenizer, on context and stride: never compare it without naming them. Bits per
byte can be compared between tokenizers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

LOGITS = 2**24
"""Numbers that one pass may give at once: 64 MB."""


@dataclass(frozen=True)
class Perplexity:
    """What was measured; `loss` is in nats a token."""

    loss: float
    tokens: int
    """Predicted ones; the first of a text has nothing before it."""
    context: int
    stride: int

    @property
    def value(self) -> float:
        """The perplexity; infinite where a float ends."""
        return math.exp(self.loss) if self.loss < 700 else math.inf

    def bits_per_byte(self, size: int) -> float:
        """Of a text of `size` bytes in UTF-8."""
        return self.loss * self.tokens / math.log(2) / size


@dataclass(frozen=True)
class Window:
    """The model reads tokens begin … end - 1 and predicts begin + 1 … end; those from `first` on
    are new."""

    begin: int
    end: int
    first: int


def windows(count: int, context: int, stride: int) -> Iterator[Window]:
    """Windows over `count` tokens that predict each but the first exactly once."""
    if not 0 < stride <= context:
        raise ValueError(f"a stride of {stride} leaves gaps between windows of {context}")
    done = 0
    for begin in range(0, count - 1, stride):
        end = min(begin + context, count - 1)
        if end > done:
            yield Window(begin, end, done + 1)
            done = end
        if end == count - 1:
            return


def measure(
    model: Any,
    tokens: Tensor,
    context: int,
    stride: int,
    look_up: Callable[[int, int], None] = lambda done, total: None,
    most: int | None = None,
) -> Perplexity:
    """The perplexity of `tokens` (N,), N > 1, under a causal language model of transformers.

    The model is left in the mode it was in; no random number is drawn. `look_up(done, total)` is
    called between passes, and may raise. `most`: about so many tokens are enough, in windows that
    lie evenly over the text.
    """
    import torch

    every = _spread(list(windows(len(tokens), context, stride)), most)
    total, nll, predicted = sum(w.end + 1 - w.first for w in every), 0.0, 0
    learning = model.training
    model.eval()
    try:
        with torch.inference_mode():
            for batch in _batches(every, model, context):
                look_up(predicted, total)
                nll += _negative_log_likelihood(model, tokens, batch)
                predicted += sum(window.end + 1 - window.first for window in batch)
    finally:
        model.train(learning)
    return Perplexity(nll / predicted, predicted, context, stride)


def _spread(every: list[Window], most: int | None) -> list[Window]:
    total = sum(window.end + 1 - window.first for window in every)
    return every if most is None else every[:: max(1, round(total / most))]


def _batches(every: list[Window], model: Any, context: int) -> Iterator[list[Window]]:
    """Windows of one length together, as many as memory bears."""
    vocabulary = model.config.get_text_config().vocab_size
    most = max(1, LOGITS // (context * vocabulary))
    batch: list[Window] = []
    for window in every:
        other = batch and window.end - window.begin != batch[0].end - batch[0].begin
        if other or len(batch) == most:
            yield batch
            batch = []
        batch.append(window)
    if batch:
        yield batch


def _negative_log_likelihood(model: Any, tokens: Tensor, batch: list[Window]) -> float:
    """The sum over the tokens that are new in each window, in nats."""
    import torch
    from torch.nn import functional

    rows = torch.stack([tokens[window.begin : window.end + 1] for window in batch]).long()
    rows = rows.to(next(model.parameters()).device)
    logits = model(input_ids=rows[:, :-1], use_cache=False).logits.float()
    losses = functional.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten(), reduction="none")
    losses = losses.view(len(batch), -1).double()
    return sum(
        float(row[window.first - window.begin - 1 :].sum())
        for row, window in zip(losses, batch, strict=True)
    )
