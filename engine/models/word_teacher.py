"""A sentence-embedding model as the teacher of a text encoder: what words mean, caption or not.

Captions name a thing in a few ways; people name it in many. A teacher that has read the world
places "puppy" beside "dog" (Reimers and Gurevych 2019, 1908.10084), and the text encoder learns
to place its words alike.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812
from transformers import AutoModel, AutoTokenizer

from engine.errors import ModelError
from engine.events import Progress, Report

WORD = re.compile(r"[a-z]{3,}")
PAIRS = 40_000  # phrases of two words, so that the pupil learns to join meanings
BATCH = 256
MAX_TOKENS = 24


class WordTeacher:
    """Loads the model in `folder`; raises ModelError when it is no transformers model."""

    def __init__(self, folder: Path) -> None:
        try:
            self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            self.model = AutoModel.from_pretrained(folder, local_files_only=True).eval()
        except (OSError, ValueError) as error:
            raise ModelError(
                f"{folder} is not a sentence-embedding model.",
                "Choose the folder of one, with config.json, tokenizer and weights; or leave the "
                "text teacher empty.",
            ) from error

    def lessons(self, captions: Iterable[str], seed: int) -> list[str]:
        """The words of its vocabulary, and pairs of which the second occurs in a caption."""
        words = self.words()
        spoken = {word for caption in captions for word in caption.split()}
        known = [word for word in words if word in spoken] or words
        own = random.Random(seed)
        pairs = (f"{own.choice(words)} {own.choice(known)}" for _ in range(PAIRS if words else 0))
        return words + list(pairs)

    def words(self) -> list[str]:
        return sorted(word for word in self.tokenizer.get_vocab() if WORD.fullmatch(word))

    def embed(self, texts: Sequence[str], report: Report) -> Tensor:
        """(N, D), each of length 1: the mean of the token states."""
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        found = torch.empty(len(texts), self.model.config.hidden_size)
        for start in range(0, len(order), BATCH):
            report(Progress(start, len(order), "asking the text teacher"))
            chosen = order[start : start + BATCH]
            encoded = self.tokenizer(
                [texts[index] for index in chosen],
                padding=True,
                truncation=True,
                max_length=MAX_TOKENS,
                return_tensors="pt",
            )
            with torch.inference_mode():
                states = self.model(**encoded).last_hidden_state
            used = encoded["attention_mask"].unsqueeze(-1)
            found[chosen] = (states * used).sum(1) / used.sum(1)
        return F.normalize(found, dim=-1)


def readable(text: str) -> bool:
    """Whether a teacher of English can be asked about `text`."""
    return 2 * sum(letter.isascii() for letter in text) > len(text)
