"""The real images that drawn ones are compared with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.data.held_out import Indices
from engine.errors import DatasetError

FEWEST = 20
"""Fewer images than this on a side are no sample of anything."""
SAMPLES = 2000
WORTH = 100
"""Fewer held-out images than this are not worth what learning loses."""


class Reference:
    """At most `count` of `images` (N, H, W, C): held-out ones where a training has kept any back.

    `others` are as many of those that were learned from; against them the reference scores what a
    perfect generator would. Where none are held out, the two are halves of all. The same images for
    every run on the same data. Raises DatasetError where there are too few.
    """

    def __init__(
        self,
        images: NDArray[np.uint8],
        learned: Indices,
        held_out: Indices,
        count: int = SAMPLES,
    ) -> None:
        chance = np.random.default_rng(0)
        learned = chance.permutation(learned)
        self.held_out = len(held_out) > 0
        if not self.held_out:
            held_out, learned = np.array_split(learned, 2)
        count = min(count, len(held_out), len(learned))
        if count < FEWEST:
            raise DatasetError(
                "There are too few images to measure quality against.",
                f"It takes {2 * FEWEST}, and some hundreds for numbers that say much.",
            )
        self.images = images[np.sort(chance.permutation(held_out)[:count])]
        self.others = images[np.sort(learned[:count])]

    def __len__(self) -> int:
        return len(self.images)

    @property
    def label(self) -> str:
        kind = "held-out images" if self.held_out else "of the images that were learned from"
        return f"{len(self):,} {kind}"


def worth_holding_out(count: int, part: float) -> float:
    """`part`; or 0 where that of `count` images is too few to measure much, and all are needed."""
    return part if count * part >= WORTH else 0.0
