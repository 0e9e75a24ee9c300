"""The passages that fit a question best, by meaning; what has been embedded is kept on the disk."""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from engine import files, folders
from engine.errors import FileError
from engine.events import Report
from engine.retrieval.embedding import Encoder
from engine.retrieval.passages import Passage

log = logging.getLogger(__name__)

NEAR = 0.5
"""Of the best passage's cosine."""


@dataclass(frozen=True)
class Found:
    """A passage and how close it is to the question: the cosine, 1 is the same."""

    passage: Passage
    score: float


def best_passages(
    question: str, passages: Sequence[Passage], encoder: Encoder, count: int, report: Report
) -> list[Found]:
    """The `count` closest, the best first; passages of the same words come once.

    What is less than NEAR as close as the best is left out: it leads small models astray.
    """
    files_of = groupby(passages, key=lambda passage: passage.path)
    parts = [_vectors([each.text for each in held], encoder, report) for _, held in files_of]
    vectors = np.concatenate(parts)
    asked = encoder.embed([question], lambda event: None)[0]
    scores = vectors @ asked
    found: list[Found] = []
    said: set[str] = set()
    for number in np.argsort(-scores, kind="stable"):
        passage, score = passages[int(number)], float(scores[number])
        if len(found) == count or (found and score < NEAR * found[0].score):
            break
        if passage.text not in said:
            said.add(passage.text)
            found.append(Found(passage, score))
    return found


def _vectors(texts: Sequence[str], encoder: Encoder, report: Report) -> NDArray[np.float32]:
    """Vectors (N, D) of one file; those of the same texts by the same model are computed once."""
    digest = hashlib.sha256(encoder.fingerprint.encode())
    for text in texts:
        digest.update(hashlib.sha256(text.encode("utf-8", "replace")).digest())
    path = folders.cache() / "embeddings" / f"{digest.hexdigest()[:32]}.npy"
    try:
        kept: NDArray[np.float32] = np.load(path, allow_pickle=False)
        if kept.ndim == 2 and len(kept) == len(texts):
            return kept
    except (OSError, ValueError, EOFError):
        pass  # not there, or only a part: computed anew
    vectors = encoder.embed(texts, report)
    stream = io.BytesIO()
    np.save(stream, vectors, allow_pickle=False)
    try:
        files.write_bytes(path, stream.getvalue())
    except FileError as error:
        log.warning("the vectors are not kept: %s", error)  # the next question computes them again
    return vectors
