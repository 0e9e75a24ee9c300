"""Joint attention that counts its last token many times, as if it were that many equal tokens.

Stable Diffusion 3's pipeline fills the place of an absent third text encoder with up to 512 empty
tokens. A model must have met them in training, and one token with a weight is as good as many.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

ABSENT = -1e4  # a logit that softmax turns into nothing, also in bfloat16


class PaddedJointAttention:
    """An attention processor of diffusers for SD3's blocks. `counts` (N,) is set before a pass."""

    def __init__(self) -> None:
        self.counts: Tensor | None = None

    def __call__(
        self, attn: Any, hidden_states: Tensor, encoder_hidden_states: Tensor, **_: Any
    ) -> tuple[Tensor, Tensor]:
        """Image tokens (N, I, D) and text tokens (N, T, D), each attending to both."""
        image = _heads(attn, attn.to_q, attn.to_k, attn.to_v, hidden_states)
        text = _heads(
            attn, attn.add_q_proj, attn.add_k_proj, attn.add_v_proj, encoder_hidden_states
        )
        query, key, value = (torch.cat(pair, dim=2) for pair in zip(
            _normed(image, attn.norm_q, attn.norm_k),
            _normed(text, attn.norm_added_q, attn.norm_added_k),
            strict=True,
        ))  # fmt: skip
        mixed = F.scaled_dot_product_attention(query, key, value, self._bias(query))
        mixed = mixed.transpose(1, 2).flatten(2).to(query.dtype)
        length = hidden_states.shape[1]
        image_out, text_out = mixed[:, :length], mixed[:, length:]
        if not attn.context_pre_only:
            text_out = attn.to_add_out(text_out)
        return attn.to_out[1](attn.to_out[0](image_out)), text_out

    def _bias(self, query: Tensor) -> Tensor | None:
        """Added to the logits: log n makes a token weigh as much as n tokens."""
        if self.counts is None:
            return None
        weight = torch.where(self.counts > 0, self.counts.clamp(min=1).log(), ABSENT)
        bias = query.new_zeros(query.shape[0], 1, 1, query.shape[2])
        bias[..., -1] = weight.to(query.dtype).view(-1, 1, 1)
        return bias.expand(-1, -1, query.shape[2], -1)


def _heads(attn: Any, to_q: Any, to_k: Any, to_v: Any, states: Tensor) -> tuple[Tensor, ...]:
    """Query, key and value (N, heads, T, head size)."""
    return tuple(
        project(states).unflatten(2, (attn.heads, -1)).transpose(1, 2)
        for project in (to_q, to_k, to_v)
    )


def _normed(parts: tuple[Tensor, ...], norm_query: Any, norm_key: Any) -> tuple[Tensor, ...]:
    query, key, value = parts
    return norm_query(query), norm_key(key), value
