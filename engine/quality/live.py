"""Quality while a training goes on: a few numbers, now and then, without touching its chance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.quality.feature_space import FeatureSpace, space_for
from engine.quality.measure import measure
from engine.quality.reference import Reference

if TYPE_CHECKING:
    import torch
    from torch import Tensor

SEED = 0
"""The same noise at every step and for every run: a curve moves only by what was learned."""

Draw = Callable[[int, "torch.Generator"], NDArray[np.uint8]]


@dataclass(frozen=True)
class Cadence:
    """Measures about `every` steps, at steps where the loop logs what it gets; 0 is never."""

    every: int
    log_every: int
    last: int

    def due(self, step: int) -> bool:
        if not self.every:
            return False
        every = -(-self.every // self.log_every) * self.log_every
        return step % every == 0 or step == self.last


class LiveQuality:
    """Compares what a learner draws with a reference. Nothing is computed before it is asked."""

    def __init__(self, dataset: str, reference: Reference, cadence: Cadence) -> None:
        self._dataset = dataset
        self._reference = reference
        self.due = cadence.due

    @cached_property
    def _space(self) -> FeatureSpace:
        return space_for(self._dataset)

    @cached_property
    def _real(self) -> Tensor:
        return self._space.features(self._reference.images)

    def description(self) -> dict[str, Any]:
        """What run.json says of the numbers, which mean nothing without it."""
        return {
            "feature_space": self._space.name,
            "sha256": self._space.sha256,
            "samples": len(self._reference),
            "reference": self._reference.label,
        }

    def measure(self, draw: Draw) -> dict[str, float]:
        """kid (not times a thousand), precision and recall of `draw(count, chance)`: (N, H, W, C).

        torch's default random generator stays as it was, so long as `draw` uses `chance` alone.
        """
        import torch

        images = draw(len(self._reference), torch.Generator().manual_seed(SEED))
        found = measure(self._real, self._space.features(images), SEED)
        return {
            "kid": found.kid.mean,
            "precision": found.manifolds.precision,
            "recall": found.manifolds.recall,
        }
