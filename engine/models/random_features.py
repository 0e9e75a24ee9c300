"""A frozen convolutional network with random weights: a feature space for any images.

It has learned nothing, so it is fair to none and blind to meaning; but random convolutions do tell
shapes and textures apart (Saxe et al. 2011, On Random Weights and Unsupervised Feature Learning).
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

SEED = 0
WIDTHS = (3, 32, 64, 128)
POOLED = 2  # places a side where the last features are averaged
FEATURES = WIDTHS[-1] * POOLED**2


class RandomFeatures(nn.Module):
    """Images (N, 1 or 3, H, W) in [-1, 1] to features (N, FEATURES). Its weights follow from SEED.

    Leaves torch's default random generator as it was.
    """

    def __init__(self) -> None:
        super().__init__()
        chance = torch.Generator().manual_seed(SEED)
        for level, (inputs, outputs) in enumerate(pairwise(WIDTHS)):
            # He et al. 2015 (1502.01852): the scale that ReLU neither blows up nor lets die
            weights = (
                torch.randn(outputs, inputs, 4, 4, generator=chance) * (2 / (inputs * 16)) ** 0.5
            )
            self.register_buffer(f"weights{level}", weights)

    def forward(self, images: Tensor) -> Tensor:
        values = images.expand(-1, WIDTHS[0], -1, -1)
        for weights in self.buffers():
            values = F.relu(F.conv2d(values, weights, stride=2, padding=1))
        return F.adaptive_avg_pool2d(values, POOLED).flatten(1)
