"""The way from one noise to another."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def between(start: torch.Tensor, end: torch.Tensor, position: float) -> torch.Tensor:
    """Spherical interpolation: a straight line would lead through noise that is too short, of which
    the generator has never seen any (White 2016, 1609.04468)."""
    cosine = float((start * end).sum() / (start.norm() * end.norm()).clamp(min=1e-12))
    angle = math.acos(min(max(cosine, -1.0), 1.0))
    whole = math.sin(angle)
    if whole < 1e-3:  # the same, or opposite
        return start + position * (end - start)
    return math.sin((1 - position) * angle) / whole * start + (
        math.sin(position * angle) / whole * end
    )
