"""What makes drawings differ without making them something else: the evaluator learns to ignore it.

All of it on batches (N, 3, H, W) in 0…1, on white paper.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812


@dataclass(frozen=True)
class Reach:
    """How far each change goes at full strength."""

    turn: float = math.radians(12)
    shift: float = 0.12  # of half the picture
    shear: float = 0.12
    zoom: float = 0.22  # larger and smaller
    stretch: float = 0.08
    wobble: float = 0.05  # how far the lines bend, of half the picture
    tone: float = 0.2  # brightness, contrast and saturation, to each side
    tint: float = 0.08  # red, green and blue, each by itself
    softest: float = 20 / 64  # of the side: the pixels that the softest picture is left with
    noise: float = 0.06
    hole: float = 0.35  # of the side, at most


CONCEPT = Reach()
"""Nothing of this makes a drawing something else."""
STYLE = Reach(
    turn=0.03, shift=0.02, shear=0.02, zoom=0.02, stretch=0.02, tone=0.1, tint=0.04,
    softest=1 / 3, noise=0.04,
)  # fmt: skip
"""Size, place, tone and shading are a part of a style; how straight its lines are is not."""


def augmented(
    pictures: Tensor, random: torch.Generator, strength: float = 1.0, reach: Reach = CONCEPT
) -> Tensor:
    """Each picture moved, bent, tinted, softened, grained and partly covered, differently.

    `strength` from 0 (nothing happens) to 1.
    """
    moved = _moved(pictures, random, strength, reach)
    toned = _toned(moved, random, strength, reach)
    soft = torch.cat([_softened(part, random, strength, reach) for part in toned.chunk(4)])
    grain = torch.randn(soft.shape, generator=random)
    grainy = soft + grain * _uniform(soft, random, 0, reach.noise * strength)
    return _covered(grainy.clamp(0, 1), random, strength, reach)


def _uniform(like: Tensor, random: torch.Generator, low: float, high: float) -> Tensor:
    """(N, 1, 1, 1): one number for each picture."""
    return low + (high - low) * torch.rand(len(like), 1, 1, 1, generator=random)


def _moved(pictures: Tensor, random: torch.Generator, strength: float, reach: Reach) -> Tensor:
    count, _, height, width = pictures.shape

    def numbers(most: float) -> Tensor:
        return (torch.rand(count, generator=random) * 2 - 1) * most * strength

    angle, shear, scale = numbers(reach.turn), numbers(reach.shear), 1 + numbers(reach.zoom)
    wide, high = (
        1 / (scale * (1 + numbers(reach.stretch))),
        1 / (scale * (1 + numbers(reach.stretch))),
    )
    rows = (
        torch.stack((angle.cos() * wide, (shear - angle.sin()) * wide, numbers(reach.shift)), 1),
        torch.stack((angle.sin() * high, angle.cos() * high, numbers(reach.shift)), 1),
    )
    grid = F.affine_grid(torch.stack(rows, 1), list(pictures.shape), align_corners=False)
    bends = torch.randn(count, 2, 5, 5, generator=random)
    bends = bends * _uniform(pictures, random, 0, reach.wobble * strength)
    bends = F.interpolate(bends, (height, width), mode="bicubic", align_corners=False)
    ink = 1 - pictures  # what comes in from outside is 0: paper
    return 1 - F.grid_sample(ink, grid + bends.permute(0, 2, 3, 1), align_corners=False)


def _toned(pictures: Tensor, random: torch.Generator, strength: float, reach: Reach) -> Tensor:
    def factor() -> Tensor:
        return _uniform(pictures, random, 1 - reach.tone * strength, 1 + reach.tone * strength)

    gray = pictures.mean(1, keepdim=True)
    saturated = gray + (pictures - gray) * factor()
    middle = saturated.mean((1, 2, 3), keepdim=True)
    contrasted = middle + (saturated - middle) * factor()
    tint = (torch.rand(len(pictures), 3, 1, 1, generator=random) * 2 - 1) * reach.tint * strength
    return (contrasted * (1 + tint) * factor()).clamp(0, 1)


def _softened(pictures: Tensor, random: torch.Generator, strength: float, reach: Reach) -> Tensor:
    """Reduced and enlarged again: all alike, so augmented() gives it parts of a batch."""
    size = pictures.shape[-1]
    coarsest = size - round(size * (1 - reach.softest) * strength)
    coarse = int(torch.randint(coarsest, 2 * size, (), generator=random))
    if coarse >= size:
        return pictures
    reduced = F.interpolate(pictures, (coarse, coarse), mode="area")
    return F.interpolate(reduced, (size, size), mode="bilinear", align_corners=False)


def _covered(pictures: Tensor, random: torch.Generator, strength: float, reach: Reach) -> Tensor:
    """A rectangle of one colour over half of the pictures."""
    count, _, height, width = pictures.shape
    hidden = torch.rand(count, 1, 1, 1, generator=random) < strength / 2
    for along in (
        torch.linspace(0, 1, height).view(1, 1, height, 1),
        torch.linspace(0, 1, width).view(1, 1, 1, width),
    ):
        start = _uniform(pictures, random, 0, 1)
        end = start + _uniform(pictures, random, 0, reach.hole)
        hidden = hidden & (along >= start) & (along <= end)
    color = torch.rand(count, 3, 1, 1, generator=random)
    return torch.where(hidden, color, pictures)
