"""DCGAN (Radford et al. 2016, 1511.06434) with a spectrally normalised discriminator.

Spectral normalisation (Miyato et al. 2018, 1802.05957) stands in the discriminator where DCGAN has
batch norm: it bounds the gradients that the generator learns from. So bound, a layer tells little
apart; as in that paper, a 3×3 convolution at every size makes up for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


@dataclass(frozen=True)
class DcganConfig:
    """`width` is the number of features at half the image size; it doubles at each halving.

    Losses that bound the discriminator by a penalty want it without `spectral_norm`.
    """

    image_size: int = 28
    channels: int = 1
    latent_dim: int = 100
    width: int = 32
    spectral_norm: bool = True

    @property
    def smallest(self) -> int:
        """Width of the smallest feature map: 7 for 28, 4 for 32 and 64."""
        return self.image_size >> self.halvings

    @property
    def halvings(self) -> int:
        return {28: 2, 32: 3, 64: 4}[self.image_size]

    @property
    def features(self) -> tuple[int, ...]:
        """Features from the largest map to the smallest."""
        return tuple(self.width * 2**level for level in range(self.halvings))


class Generator(nn.Module):
    """Noise (N, latent_dim) to images (N, C, H, W) in [-1, 1]."""

    def __init__(self, config: DcganConfig) -> None:
        super().__init__()
        features = tuple(reversed(config.features))
        self.shape = (features[0], config.smallest, config.smallest)
        self.dense = nn.Linear(config.latent_dim, features[0] * config.smallest**2, bias=False)
        layers: list[nn.Module] = [nn.BatchNorm2d(features[0]), nn.ReLU()]
        for inputs, outputs in pairwise(features):
            layers += [
                nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(),
            ]
        layers.append(nn.ConvTranspose2d(features[-1], config.channels, 4, stride=2, padding=1))
        self.layers = nn.Sequential(*layers)
        self.apply(_initialise)

    def forward(self, noise: Tensor) -> Tensor:
        return torch.tanh(self.layers(self.dense(noise).unflatten(1, self.shape)))


class Discriminator(nn.Module):
    """Images (N, C, H, W) to logits (N,); higher means more real."""

    def __init__(self, config: DcganConfig) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise((config.channels, *config.features)):
            layers += [nn.Conv2d(inputs, outputs, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
            layers += [nn.Conv2d(outputs, outputs, 3, padding=1), nn.LeakyReLU(0.2)]
        layers += [nn.Flatten(), nn.Linear(config.features[-1] * config.smallest**2, 1)]
        self.layers = nn.Sequential(*layers)
        self.apply(_initialise)
        for layer in self.layers:
            if config.spectral_norm and isinstance(layer, nn.Conv2d | nn.Linear):
                spectral_norm(layer)

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images).squeeze(1)


def _initialise(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(layer.weight, 0.0, 0.02)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
