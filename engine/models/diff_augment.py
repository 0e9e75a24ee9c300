"""DiffAugment (Zhao et al. 2020, 2006.10738): the discriminator never sees an image as it is.

So it cannot learn the few images there are by heart. Real and drawn images are changed alike, and
the generator learns through the change: every operation here has a gradient.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

NUMBERS = 7  # random ones for each image: two shifts, two corners, three for the colour
SHIFT = 1 / 8  # of the width
CUTOUT = 1 / 2  # of the width


def augmented(images: Tensor, chance: Tensor) -> Tensor:
    """Images (N, C, H, W) moved and with a square cut out; those in colour with other colours too.

    `chance` (N, NUMBERS) is uniform in 0…1 and alone decides how.
    """
    if images.shape[1] == 3:
        images = _recolored(images, chance[:, 4:, None, None, None])
    return _cut_out(_moved(images, chance[:, :2]), chance[:, 2:4])


def _recolored(images: Tensor, chance: Tensor) -> Tensor:
    """Brightness ± 0.5, saturation × 0…2, contrast × 0.5…1.5."""
    images = images + (chance[:, 0] - 0.5)
    gray = images.mean(1, keepdim=True)
    images = gray + (images - gray) * (2 * chance[:, 1])
    mean = images.mean((1, 2, 3), keepdim=True)
    return mean + (images - mean) * (chance[:, 2] + 0.5)


def _moved(images: Tensor, chance: Tensor) -> Tensor:
    """By up to SHIFT in both directions; what comes in from outside is gray."""
    count, _, height, width = images.shape
    rows = _moved_places(height, chance[:, 0])
    columns = _moved_places(width, chance[:, 1])
    padded = F.pad(images, (1, 1, 1, 1)).permute(0, 2, 3, 1)
    which = torch.arange(count, device=images.device)[:, None, None]
    return padded[which, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def _moved_places(size: int, chance: Tensor) -> Tensor:
    """Where (N, size) each place's pixel comes from, in an image with a border of 1."""
    reach = int(size * SHIFT + 0.5)
    shift = (chance * (2 * reach + 1)).floor().long() - reach
    places = torch.arange(size, device=chance.device)
    return (places + shift[:, None] + 1).clamp(0, size + 1)


def _cut_out(images: Tensor, chance: Tensor) -> Tensor:
    """A square of CUTOUT is gray, wherever its centre falls."""
    rows = _cut_places(images.shape[2], chance[:, 0])
    columns = _cut_places(images.shape[3], chance[:, 1])
    return images * ~(rows[:, :, None] & columns[:, None, :])[:, None]


def _cut_places(size: int, chance: Tensor) -> Tensor:
    """Whether (N, size) each place is within the cut."""
    cut = int(size * CUTOUT + 0.5)
    first = (chance * (size + 1 - cut % 2)).floor().long() - cut // 2
    places = torch.arange(size, device=chance.device)
    return (places >= first[:, None]) & (places < first[:, None] + cut)
