"""A GAN of fully connected layers, as in the first paper (Goodfellow et al. 2014, 1406.2661)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class MlpGanConfig:
    """`hidden` are the generator's layers; the discriminator has them in reverse."""

    image_size: int = 28
    channels: int = 1
    latent_dim: int = 100
    hidden: tuple[int, ...] = (256,)

    @property
    def pixels(self) -> int:
        return self.channels * self.image_size**2


class Generator(nn.Module):
    """Noise (N, latent_dim) to images (N, C, H, W) in [-1, 1]."""

    def __init__(self, config: MlpGanConfig) -> None:
        super().__init__()
        self.shape = (config.channels, config.image_size, config.image_size)
        self.layers = _layers((config.latent_dim, *config.hidden, config.pixels))

    def forward(self, noise: Tensor) -> Tensor:
        return torch.tanh(self.layers(noise)).unflatten(1, self.shape)


class Discriminator(nn.Module):
    """Images (N, C, H, W) to logits (N,); higher means more real."""

    def __init__(self, config: MlpGanConfig) -> None:
        super().__init__()
        self.layers = _layers((config.pixels, *reversed(config.hidden), 1))

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images.flatten(1)).squeeze(1)


def _layers(sizes: tuple[int, ...]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers[:-1])
