"""KID, the kernel inception distance (Binkowski et al. 2018, 1801.01401), in any feature space.

Unlike FID it is unbiased: its expectation does not depend on how many images are compared, and that
of two sets from the same source is zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor

SUBSETS = 100
SUBSET_SIZE = 1000


@dataclass(frozen=True)
class KernelDistance:
    """The mean over random subsets, and the standard deviation among them."""

    mean: float
    deviation: float


def kernel_distance(
    real: Tensor,
    fake: Tensor,
    chance: torch.Generator,
    subsets: int = SUBSETS,
    subset_size: int = SUBSET_SIZE,
) -> KernelDistance:
    """The KID of features (N, D) and (M, D), float64, over `subsets` pairs of subsets.

    A subset holds `subset_size` images, or half of the smaller set if that is less, so that
    subsets differ. `chance` chooses them. Raises ValueError for fewer than four images.
    """
    size = min(subset_size, len(real) // 2, len(fake) // 2)
    if size < 2:
        raise ValueError("a distance needs at least four images on each side")
    reals, fakes = (_subsets(len(side), size, subsets, chance) for side in (real, fake))
    distances = subset_distances(real, fake, reals, fakes)
    return KernelDistance(distances.mean().item(), distances.std(correction=0).item())


def subset_distances(real: Tensor, fake: Tensor, reals: Tensor, fakes: Tensor) -> Tensor:
    """The unbiased squared MMD (S,) of each pair of subsets, rows of the masks (S, N) and (S, M).

    A sum over a subset's part of a kernel matrix is a product with its mask, so that the matrix is
    computed once for all subsets.
    """
    size = reals[0].sum()
    within = size * (size - 1)

    def mean_within(features: Tensor, masks: Tensor) -> Tensor:
        kernel = _kernel(features, features)
        kernel.fill_diagonal_(0)  # an image is not compared with itself: hence unbiased
        return _sums(masks, kernel, masks) / within

    across = _sums(reals, _kernel(real, fake), fakes) / (size * size)
    return mean_within(real, reals) + mean_within(fake, fakes) - 2 * across


def _kernel(first: Tensor, second: Tensor) -> Tensor:
    """The polynomial kernel of the paper, (x·y / D + 1)³, of every pair: (N, M)."""
    return (first @ second.T / first.shape[1] + 1) ** 3


def _sums(left: Tensor, kernel: Tensor, right: Tensor) -> Tensor:
    return ((left @ kernel) * right).sum(1)


def _subsets(count: int, size: int, subsets: int, chance: torch.Generator) -> Tensor:
    """Masks (subsets, count), float64, each of `size` ones at random places."""
    import torch

    masks = torch.zeros(subsets, count, dtype=torch.float64)
    for mask in masks:
        mask[torch.randperm(count, generator=chance)[:size]] = 1
    return masks
