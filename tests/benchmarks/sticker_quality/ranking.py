"""The arithmetic: at which place the right answer stands, how often it is among the first."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.floating[Any]]


def places(scores: Numbers, right: Sequence[Collection[int]]) -> NDArray[np.int64]:
    """For each row of `scores` (N, C), how many columns score higher than the best right one."""
    best = np.array([row[list(columns)].max() for row, columns in zip(scores, right, strict=True)])
    return np.asarray((scores > best[:, None]).sum(axis=1), np.int64)


def among_first(places: NDArray[np.int64], count: int) -> float:
    """Which part of the answers stands among the first `count`."""
    return float((places < count).mean())


def confusion(said: NDArray[np.int64], asked: NDArray[np.int64], kinds: int) -> NDArray[np.float64]:
    """(kinds, kinds): row = asked for, column = what was seen; each row sums to 1 (or is 0)."""
    counts = np.zeros((kinds, kinds))
    np.add.at(counts, (asked, said), 1)
    return np.asarray(counts / np.maximum(1, counts.sum(axis=1, keepdims=True)))


def cosine_distances(first: Numbers, second: Numbers) -> Numbers:
    """(N,): between rows of length 1; 0 is alike, 1 has nothing in common."""
    return np.asarray(1 - (first * second).sum(axis=1))


def pixel_distances(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> Numbers:
    """(N,): root of the mean squared difference of pictures (N, H, W, C), 0…1."""
    difference = (first.astype(np.float32) - second) / 255
    return np.asarray(np.sqrt(np.square(difference).mean(axis=(1, 2, 3))))
