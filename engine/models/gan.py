"""What all GANs here share: a generator and a discriminator built by name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from engine.data.crop import SIZES
from engine.models import conv_gan, dcgan, mlp_gan

MLP_HIDDEN = {"mlp_small": (256,), "mlp_large": (512, 1024)}
MODELS = ("dcgan", "conv", *MLP_HIDDEN)
MAX_DIMENSION = 4096


@dataclass(frozen=True)
class GanConfig:
    """Which GAN, and of what shape; stored with a run, so that it can be built again.

    `width` does not concern the fully connected ones, `spectral_norm` only the discriminator of
    dcgan.
    """

    model: str
    image_size: int
    channels: int
    latent_dim: int
    width: int
    spectral_norm: bool = True

    def __post_init__(self) -> None:
        """Raises ValueError for what cannot be built."""
        for name in ("image_size", "channels", "latent_dim", "width"):
            number = getattr(self, name)
            if not isinstance(number, int) or not 1 <= number <= MAX_DIMENSION:
                raise ValueError(f"{name} is {number!r}")
        if self.model not in MODELS or self.image_size not in SIZES:
            raise ValueError(f"{self.model!r} with images of {self.image_size} pixels")


def default_width(image_size: int) -> int:
    """What a CPU can train while somebody watches."""
    return 64 if image_size < 64 else 32


@dataclass(frozen=True)
class Gan:
    """generator: noise (N, latent_dim) → images (N, C, H, W) in [-1, 1]; discriminator: → (N,)."""

    generator: nn.Module
    discriminator: nn.Module


def build(config: GanConfig) -> Gan:
    """The networks with fresh weights, from torch's default random generator."""
    size, channels, latent = config.image_size, config.channels, config.latent_dim
    if config.model == "dcgan":
        shape = dcgan.DcganConfig(size, channels, latent, config.width, config.spectral_norm)
        return Gan(dcgan.Generator(shape), dcgan.Discriminator(shape))
    if config.model == "conv":
        plan = conv_gan.ConvGanConfig(size, channels, latent, config.width)
        return Gan(conv_gan.Generator(plan), conv_gan.Discriminator(plan))
    layers = mlp_gan.MlpGanConfig(size, channels, latent, MLP_HIDDEN[config.model])
    return Gan(mlp_gan.Generator(layers), mlp_gan.Discriminator(layers))


@torch.no_grad()
def update_average(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Move the weights and batch statistics of `average` (1 - decay) of the way to `model`."""
    targets = [value for value in average.state_dict().values() if value.is_floating_point()]
    sources = [value for value in model.state_dict().values() if value.is_floating_point()]
    torch._foreach_lerp_(targets, sources, 1 - decay)


def to_pixels(images: Tensor) -> NDArray[np.uint8]:
    """Images (N, C, H, W) in [-1, 1] as uint8 (N, H, W, C)."""
    scaled = (images.float() + 1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
    return scaled.permute(0, 2, 3, 1).cpu().numpy()


def from_pixels(pixels: Tensor) -> Tensor:
    """Images as uint8 (N, H, W, C) to (N, C, H, W) in [-1, 1]."""
    return pixels.permute(0, 3, 1, 2).float().contiguous().div_(127.5).sub_(1)
