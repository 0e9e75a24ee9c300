"""A small convolutional GAN: dense to size/4, then two transposed 5×5 convolutions."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class ConvGanConfig:
    """28×28 images start from 7×7×128 features, 64×64 ones from 16×16×128."""

    image_size: int = 28
    channels: int = 1
    latent_dim: int = 100
    width: int = 64

    @property
    def start(self) -> int:
        return self.image_size // 4


class Generator(nn.Module):
    """Noise (N, latent_dim) to images (N, C, H, W) in [-1, 1]."""

    def __init__(self, config: ConvGanConfig) -> None:
        super().__init__()
        start, width = config.start, config.width
        self.shape = (2 * width, start, start)
        self.dense = nn.Linear(config.latent_dim, 2 * width * start**2)
        self.layers = nn.Sequential(
            nn.BatchNorm2d(2 * width),
            nn.ReLU(),
            nn.ConvTranspose2d(2 * width, width, 5, stride=2, padding=2, output_padding=1),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.ConvTranspose2d(width, config.channels, 5, stride=2, padding=2, output_padding=1),
        )

    def forward(self, noise: Tensor) -> Tensor:
        return torch.tanh(self.layers(self.dense(noise).unflatten(1, self.shape)))


class Discriminator(nn.Module):
    """Images (N, C, H, W) to logits (N,); higher means more real."""

    def __init__(self, config: ConvGanConfig) -> None:
        super().__init__()
        width = config.width
        self.layers = nn.Sequential(
            nn.Conv2d(config.channels, width, 5, stride=2, padding=2),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, 5, stride=2, padding=2),
            nn.LeakyReLU(0.2),
        )
        self.dense = nn.Linear(2 * width * config.start**2, 1)

    def forward(self, images: Tensor) -> Tensor:
        return self.dense(self.layers(images).flatten(1)).squeeze(1)
