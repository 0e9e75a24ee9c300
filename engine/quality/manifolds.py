"""Precision and recall: are the images like real ones, and are all kinds of real ones drawn?

Each side's manifold is taken to be the balls around its images that reach to the K-th neighbour.
Precision and recall: Kynkäänniemi et al. 2019 (1904.06991). Density and coverage, which an outlier
among the real images cannot spoil: Naeem et al. 2020 (2002.09797).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

NEIGHBOURS = 3  # for precision and recall, as in their paper
WIDER = 5  # for density and coverage, as in theirs


@dataclass(frozen=True)
class Manifolds:
    """precision: drawn images that look real. recall: real images that could have been drawn.

    density: how many real balls a drawn image lies in, over the number it should. coverage: real
    images with a drawn one in their ball. All are 0 to 1 but density; equal sets from one source
    score about the same in precision and recall, not 1.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def manifolds(real: Tensor, fake: Tensor) -> Manifolds:
    """Compares features (N, D) and (M, D), best with N = M. Needs more than WIDER images a side."""
    if min(len(real), len(fake)) <= WIDER:
        raise ValueError(f"manifolds need more than {WIDER} images on each side")
    across = _distances(real, fake)
    real_near, real_wide = _radii(real)
    fake_near, _ = _radii(fake)
    inside = across <= real_wide[:, None]  # (N, M): drawn image j in the ball of real image i
    return Manifolds(
        precision=(across <= real_near[:, None]).any(0).double().mean().item(),
        recall=(across <= fake_near[None, :]).any(1).double().mean().item(),
        density=inside.double().sum(0).mean().item() / WIDER,
        coverage=inside.any(1).double().mean().item(),
    )


def _radii(features: Tensor) -> tuple[Tensor, Tensor]:
    """The squared distance of each image to its NEIGHBOURS-th and to its WIDER-th neighbour."""
    distances = _distances(features, features)
    distances.fill_diagonal_(float("inf"))  # an image is no neighbour of its own
    nearest = distances.topk(WIDER, largest=False, sorted=True).values
    return nearest[:, NEIGHBOURS - 1], nearest[:, WIDER - 1]


def _distances(first: Tensor, second: Tensor) -> Tensor:
    """Squared Euclidean distances (N, M). In float64 the quick formula is exact enough."""
    first, second = first.double(), second.double()
    squares = first.square().sum(1)[:, None] + second.square().sum(1)[None, :]
    return (squares - 2 * first @ second.T).clamp_(min=0)
