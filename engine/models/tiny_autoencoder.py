"""A small convolutional autoencoder: pictures to latents an eighth as wide and high, and back.

The architecture is that of TAESD, as diffusers has it: convolutions and ReLU, no norms.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from diffusers import AutoencoderTiny
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from engine.distributed import gather, share, whole_like

REDUCTION = 8  # pixels to a latent, in each direction
MAX_NOISE = 0.2  # of the latents' deviation: the decoder forgives the transformer's small errors


@dataclass(frozen=True)
class AutoencoderConfig:
    """`width` is the number of features in every layer."""

    latent_channels: int = 16
    width: int = 64


def build(config: AutoencoderConfig) -> AutoencoderTiny:
    """With fresh weights; most of the depth is where pictures are small and work is cheap."""
    return AutoencoderTiny(
        latent_channels=config.latent_channels,
        encoder_block_out_channels=(config.width,) * 4,
        decoder_block_out_channels=(config.width,) * 4,
        num_encoder_blocks=(0, 1, 2, 2),
        num_decoder_blocks=(2, 2, 1, 1),
    )


def loss(autoencoder: AutoencoderTiny, pictures: Tensor) -> Tensor:
    """How far pictures (N, 3, H, W) in -1…1 are from what comes back, edges counted again.

    A small term keeps every latent channel near mean 0 and variance 1, which the decoder's own
    clamp at ±3 and the diffusion's unit noise both expect.
    """
    latents = autoencoder.encode(pictures).latents
    whole = whole_like(latents)
    levels = torch.rand(len(whole), 1, 1, 1, device=latents.device) * MAX_NOISE
    noise = share(levels) * share(torch.randn_like(whole.float()))
    decoded = autoencoder.decode(latents.float() + noise).sample.float()
    spread = gather(latents.float())
    mean, variance = spread.mean((0, 2, 3)), spread.var((0, 2, 3))
    unit = mean.square().mean() + (variance - 1).square().mean()
    difference = F.l1_loss(decoded, pictures) + F.mse_loss(decoded, pictures)
    return difference + 0.5 * _edge_loss(decoded, pictures) + 0.01 * unit


def _edge_loss(one: Tensor, other: Tensor) -> Tensor:
    """Mean absolute difference of the gradients: blurred edges cost more than a wrong tint."""
    return sum(
        (F.l1_loss(one.diff(dim=axis), other.diff(dim=axis)) for axis in (-1, -2)),
        start=one.new_zeros(()),
    )


def to_tensor(pixels: Tensor) -> Tensor:
    """uint8 (N, H, W, 3) as float (N, 3, H, W) in -1…1."""
    return pixels.permute(0, 3, 1, 2).float().div(127.5).sub(1)


def to_pixels(pictures: Tensor) -> Tensor:
    """float (N, 3, H, W) in -1…1 as uint8 (N, H, W, 3)."""
    return pictures.float().clamp(-1, 1).add(1).mul(127.5).round().byte().permute(0, 2, 3, 1)


def psnr(one: Tensor, other: Tensor) -> float:
    """Peak signal-to-noise ratio in dB of pictures in -1…1, the mean over the pictures."""
    error = (one.float() - other.float()).div(2).square().mean((1, 2, 3))
    return float((-10 * error.clamp(min=1e-10).log10()).mean())
