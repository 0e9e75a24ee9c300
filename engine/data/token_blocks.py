"""Blocks of tokens to learn from: which ones a step sees is a function of seed and step alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.data.batches import Batches


class TokenBlocks:
    """Cuts one long row of tokens into blocks, anew each epoch.

    In an epoch every token is learned from once, but for less than two blocks at the ends; where
    the cuts lie changes from epoch to epoch.
    """

    def __init__(
        self, tokens: NDArray[np.int32], block_size: int, batch_size: int, seed: int
    ) -> None:
        """`tokens` (N,) with N > block_size: a block needs the token after its last."""
        if len(tokens) <= block_size:
            raise ValueError(f"{len(tokens)} tokens hold no block of {block_size} and the next")
        self._tokens = tokens
        self._block_size = block_size
        self._seed = seed
        targets = len(tokens) - 1
        self.count = max(1, targets // block_size - 1)
        self._slack = targets - self.count * block_size
        self._batches = Batches(self.count, batch_size, seed)
        self._batch_size = batch_size

    def batch(self, step: int) -> NDArray[np.int64]:
        """Tokens (batch_size, block_size + 1) of `step`, counted from 1: inputs and, one further,
        what comes next."""
        starts = self._batches.indices(step) * self._block_size + self._shifts(step)
        places = starts[:, None] + np.arange(self._block_size + 1)
        return np.asarray(self._tokens[places], np.int64)

    def _shifts(self, step: int) -> NDArray[np.int64]:
        """(batch_size,): how far the cuts of each block's epoch are moved."""
        first = (step - 1) * self._batch_size
        epochs = np.arange(first, first + self._batch_size) // self.count
        moved = {
            int(epoch): np.random.default_rng((self._seed, int(epoch), 1)).integers(self._slack + 1)
            for epoch in np.unique(epochs)
        }
        return np.array([moved[int(epoch)] for epoch in epochs], np.int64)
