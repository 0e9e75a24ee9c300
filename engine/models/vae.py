"""Convolutional β-VAE (Kingma & Welling 2014, 1312.6114; Higgins et al. 2017).

No batch norm: several processes learn the same as one. Pixels are taken as probabilities of white
(a Bernoulli likelihood, in every channel), as the paper does for digits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from engine.data.crop import SIZES

MAX_DIMENSION = 4096
LOG_VARIANCES = (-12.0, 6.0)  # further out, exp() would only overflow


@dataclass(frozen=True)
class VaeConfig:
    """`width` is the number of features at half the image size; it doubles at each halving."""

    image_size: int
    channels: int
    latent_dim: int
    width: int

    def __post_init__(self) -> None:
        """Raises ValueError for what cannot be built."""
        for name in ("channels", "latent_dim", "width"):
            number = getattr(self, name)
            if not isinstance(number, int) or not 1 <= number <= MAX_DIMENSION:
                raise ValueError(f"{name} is {number!r}")
        if self.image_size not in SIZES:
            raise ValueError(f"images of {self.image_size} pixels")

    @property
    def halvings(self) -> int:
        """Down to 7 for 28, to 8 for 32 and 64."""
        return {28: 2, 32: 2, 64: 3}[self.image_size]

    @property
    def smallest(self) -> int:
        """Width of the smallest feature map."""
        return self.image_size >> self.halvings

    @property
    def features(self) -> tuple[int, ...]:
        """Features from the largest map to the smallest."""
        return tuple(self.width * 2**level for level in range(self.halvings))

    @property
    def hidden(self) -> int:
        """Of the layer beside the latents: without it samples fall into pieces."""
        return 8 * self.width


class Encoded(NamedTuple):
    """The posterior of each image: mean and log variance, (N, latent_dim) both."""

    mean: Tensor
    log_variance: Tensor


class Vae(nn.Module):
    """Images (N, C, H, W) in [-1, 1] to latents (N, latent_dim), and back as logits of white."""

    def __init__(self, config: VaeConfig) -> None:
        super().__init__()
        self.latent_dim = config.latent_dim
        self.encoder = _encoder(config)
        self.decoder = _decoder(config)
        self.apply(_initialise)

    def encode(self, images: Tensor) -> Encoded:
        mean, log_variance = self.encoder(images).float().chunk(2, dim=1)
        return Encoded(mean, log_variance.clamp(*LOG_VARIANCES))

    def decode(self, latents: Tensor) -> Tensor:
        """Logits (N, C, H, W); their sigmoid is a pixel between black 0 and white 1."""
        return self.decoder(latents)

    def forward(self, images: Tensor, noise: Tensor) -> tuple[Tensor, Encoded]:
        """Logits of what comes back through latents drawn with `noise` (N, latent_dim)."""
        encoded = self.encode(images)
        latents = encoded.mean + noise * (encoded.log_variance / 2).exp()
        return self.decode(latents), encoded

    def draw(self, latents: Tensor) -> Tensor:
        """The mean images (N, C, H, W) in [-1, 1] of these latents."""
        return self.decode(latents).float().sigmoid() * 2 - 1


def _encoder(config: VaeConfig) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise((config.channels, *config.features)):
        layers += [nn.Conv2d(inputs, outputs, 4, stride=2, padding=1), nn.SiLU()]
    top = config.features[-1]
    layers += [nn.Conv2d(top, top, 3, padding=1), nn.SiLU(), nn.Flatten()]
    layers += [nn.Linear(top * config.smallest**2, config.hidden), nn.SiLU()]
    return nn.Sequential(*layers, nn.Linear(config.hidden, 2 * config.latent_dim))


def _decoder(config: VaeConfig) -> nn.Sequential:
    top, side = config.features[-1], config.smallest
    layers: list[nn.Module] = [
        nn.Linear(config.latent_dim, config.hidden),
        nn.SiLU(),
        nn.Linear(config.hidden, top * side**2),
        nn.Unflatten(1, (top, side, side)),
        nn.SiLU(),
        nn.Conv2d(top, top, 3, padding=1),
    ]
    for inputs, outputs in pairwise((*reversed(config.features), config.channels)):
        layers += [nn.SiLU(), nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1)]
    return nn.Sequential(*layers)


def _initialise(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        # A transposed convolution of stride 2 reaches each pixel by a quarter of its weights.
        spread = 2.0 if isinstance(layer, nn.ConvTranspose2d) else 1.0
        fan_in = layer.weight[0].numel() if spread == 1 else layer.weight[:, 0].numel()
        nn.init.normal_(layer.weight, 0.0, spread / math.sqrt(fan_in))
        nn.init.zeros_(layer.bias)


def reconstruction_loss(logits: Tensor, images: Tensor) -> Tensor:
    """-log p(x|z) in nats for each image, averaged; `images` in [-1, 1]."""
    white = (images + 1) / 2
    losses = F.binary_cross_entropy_with_logits(logits.float(), white, reduction="none")
    return losses.flatten(1).sum(1).mean()


def kl_divergence(encoded: Encoded) -> Tensor:
    """KL(q(z|x) ‖ N(0, I)) in nats for each image, averaged (appendix B of 1312.6114)."""
    mean, log_variance = encoded
    terms = 1 + log_variance - mean.square() - log_variance.exp()
    return -0.5 * terms.sum(1).mean()


def beta_at(step: int, beta: float, warmup_steps: int) -> float:
    """The weight of the KL term, rising in a line over the warm-up (Bowman et al., 1511.06349)."""
    return beta * min(1.0, step / max(1, warmup_steps))


@torch.no_grad()
def reconstructed(vae: Vae, images: Tensor) -> Tensor:
    """What comes back of `images` through the means of their latents, in [-1, 1]."""
    return vae.draw(vae.encode(images).mean)
