"""A tokenizer whose vocabulary is learned from the captions: byte-level BPE, as CLIP's."""

from __future__ import annotations

import json
from collections.abc import Iterable

from tokenizers.pre_tokenizers import ByteLevel
from transformers import CLIPTokenizer

END_OF_WORD = "</w>"


def train_tokenizer(captions: Iterable[str], vocab_size: int, max_tokens: int) -> CLIPTokenizer:
    """Byte pair encoding (Sennrich et al. 2016, 1508.07909); any script, since bytes are known.

    The same captions always give the same tokenizer.
    """
    # Left to itself the trainer numbers the bytes that end a word in the order of a hash table.
    last = [f"{byte}{END_OF_WORD}" for byte in sorted(ByteLevel.alphabet())]
    trained = CLIPTokenizer().train_new_from_iterator(
        captions, vocab_size, new_special_tokens=last, show_progress=False
    )
    return from_json(to_json(trained), max_tokens)  # in which they are pieces like any other


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
