"""How different samples are from each other: the number behind the alarm of mode collapse."""

from __future__ import annotations

import torch
from torch import Tensor


def mean_distance(samples: Tensor) -> float:
    """The mean Euclidean distance of two of the samples (N, …), by the root of their size.

    So it is in the unit of one value, whatever the resolution; 0 for fewer than two.
    """
    flat = samples.float().flatten(1)
    if len(flat) < 2:
        return 0.0
    return torch.pdist(flat).mean().item() / flat.shape[1] ** 0.5
