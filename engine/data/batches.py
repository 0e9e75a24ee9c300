"""Which samples a training step sees: shuffled anew each epoch, a function of seed and step alone.

So a resumed run sees exactly what the straight run would have seen, and nothing need be stored.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


class Batches:
    """Batches of indices into `count` samples; each sample comes once in an epoch."""

    def __init__(self, count: int, batch_size: int, seed: int) -> None:
        self.count = count
        self.batch_size = batch_size
        self._order = lru_cache(maxsize=2)(lambda epoch: _shuffled(count, seed, epoch))

    def indices(self, step: int) -> NDArray[np.int64]:
        """The indices (batch_size,) of `step`, counted from 1; a batch may cross an epoch."""
        start = (step - 1) * self.batch_size
        positions = np.arange(start, start + self.batch_size)
        epochs, offsets = np.divmod(positions, self.count)
        return np.concatenate(
            [self._order(int(epoch))[offsets[epochs == epoch]] for epoch in np.unique(epochs)]
        )


def _shuffled(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    return np.random.default_rng((seed, epoch)).permutation(count)
