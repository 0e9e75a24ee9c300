"""Measures a set of drawn images against real ones, and says the result in one line."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from engine.quality.feature_space import FeatureSpace
from engine.quality.kernel_distance import KernelDistance, kernel_distance
from engine.quality.manifolds import Manifolds, manifolds

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Quality:
    """How near drawn images are to real ones: `kid` and `manifolds` over `count` on each side."""

    count: int
    kid: KernelDistance
    manifolds: Manifolds

    def to_dict(self) -> dict[str, Any]:
        return {
            "samples": self.count,
            "kid": self.kid.mean,
            "kid_deviation": self.kid.deviation,
            **asdict(self.manifolds),
        }

    def line(self, space: FeatureSpace) -> str:
        """For people: never a number without its deviation, its count and its space."""
        found = self.manifolds
        return (
            f"KID ×10³ = {self.kid.mean * 1000:.1f} ± {self.kid.deviation * 1000:.1f}, "
            f"precision {found.precision:.2f}, recall {found.recall:.2f}, "
            f"density {found.density:.2f}, coverage {found.coverage:.2f} "
            f"({self.count:,} samples, {space.label})"
        )


def measure(real: Tensor, fake: Tensor, seed: int) -> Quality:
    """Compares features (N, D) with as many others; `seed` chooses the subsets of KID."""
    import torch

    chance = torch.Generator().manual_seed(seed)
    return Quality(len(fake), kernel_distance(real, fake, chance), manifolds(real, fake))
