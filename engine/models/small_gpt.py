"""A small GPT that is trained from nothing: transformers' GPT-2, so that anything can load it."""

from __future__ import annotations

from dataclasses import dataclass

from transformers import GPT2Config, GPT2LMHeadModel


@dataclass(frozen=True)
class SmallGptConfig:
    """The shape of a decoder as in Radford et al. 2019."""

    vocab_size: int
    block_size: int
    """The most tokens that it reads at once."""
    num_layers: int
    num_heads: int
    width: int
    """Of a token's vector; a multiple of num_heads."""
    dropout: float
    end_id: int
    """The token between two texts."""


def build(config: SmallGptConfig) -> GPT2LMHeadModel:
    """With random weights from torch's default generator; its head shares the embedding's."""
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=config.vocab_size,
            n_positions=config.block_size,
            n_embd=config.width,
            n_layer=config.num_layers,
            n_head=config.num_heads,
            resid_pdrop=config.dropout,
            embd_pdrop=config.dropout,
            attn_pdrop=config.dropout,
            bos_token_id=config.end_id,
            eos_token_id=config.end_id,
        )
    )
