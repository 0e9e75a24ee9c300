"""A tokenizer whose vocabulary is learned from the captions: byte-level BPE, as CLIP's."""

from __future__ import annotations

import json
from collections.abc import Iterable

from transformers import CLIPTokenizer


def train_tokenizer(captions: Iterable[str], vocab_size: int, max_tokens: int) -> CLIPTokenizer:
    """Byte pair encoding (Sennrich et al. 2016, 1508.07909); any script, since bytes are known."""
    trained = CLIPTokenizer().train_new_from_iterator(captions, vocab_size, show_progress=False)
    trained.model_max_length = max_tokens
    return trained


def to_json(tokenizer: CLIPTokenizer) -> str:
    """Vocabulary and merges, for a checkpoint."""
    return tokenizer.backend_tokenizer.to_str()


def from_json(text: str, max_tokens: int) -> CLIPTokenizer:
    """What `to_json` told."""
    model = json.loads(text)["model"]
    merges = [tuple(pair) for pair in model["merges"]]
    return CLIPTokenizer(vocab=model["vocab"], merges=merges, model_max_length=max_tokens)


def token_ids(tokenizer: CLIPTokenizer, captions: list[str]) -> list[list[int]]:
    """Each caption as `model_max_length` ids: start, text, end, filled up with end tokens."""
    encoded = tokenizer(captions, padding="max_length", truncation=True)
    return encoded["input_ids"]
