"""Which samples of a dataset are learned from, and which only tell how well it went."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

MOST = 512  # samples held out: enough to measure a loss, and measured often
GOLDEN = (math.sqrt(5) - 1) / 2

Indices = NDArray[np.int64]


def split(count: int, part: float, most: int = MOST) -> tuple[Indices, Indices]:
    """(learned from, held out): indices into `count` samples, of which `part` is held out.

    Spread evenly, so that of a folder sorted by kind each kind has its share. The same each time,
    so that a resumed run holds out the same; and a smaller part is a part of a larger one, so that
    what has learned without the larger one has not seen the smaller one either.
    """
    held = min(int(count * part), most)
    # Multiples of the golden ratio, modulo 1: the places of the smallest few lie evenly apart.
    order = np.argsort(np.arange(1, count + 1) * GOLDEN % 1, kind="stable")
    return np.sort(order[held:]), np.sort(order[:held])
