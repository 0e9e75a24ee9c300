"""What a candidate draws in: pixels, or the latents of an autoencoder; mean 0 and variance 1."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny
from numpy.typing import NDArray
from safetensors.torch import load_file
from safetensors.torch import save as to_bytes
from torch import Tensor

from engine import device, files
from engine.data.captioned_images import CaptionedImages
from engine.models.tiny_autoencoder import to_pixels, to_tensor

ENCODE_BATCH = 32


def autocast() -> torch.autocast:
    """bfloat16 where this processor multiplies it in hardware."""
    return torch.autocast("cpu", torch.bfloat16, enabled=device.has_native_bfloat16())


class Space:
    """`clean` are all pictures (N, C, H, W); `decode` makes pictures of what was drawn."""

    def __init__(self, raw: Tensor, autoencoder: AutoencoderTiny | None = None) -> None:
        self.autoencoder = autoencoder
        self.mean = raw.mean((0, 2, 3), keepdim=True)
        self.spread = raw.std((0, 2, 3), keepdim=True)
        self.clean = (raw - self.mean).div_(self.spread)

    @torch.no_grad()
    def decode(self, drawn: Tensor) -> NDArray[np.uint8]:
        """Pictures (N, H, W, 3) of what was drawn, (N, C, H, W)."""
        raw = drawn * self.spread + self.mean
        if self.autoencoder is not None:
            raw = self.autoencoder.decode(raw).sample
        return np.asarray(to_pixels(raw))


def pixel_space(images: CaptionedImages) -> Space:
    return Space(to_tensor(torch.from_numpy(images.images)).contiguous())


def latent_space(images: CaptionedImages, autoencoder: AutoencoderTiny, out: Path) -> Space:
    """The latents are kept in `out`, since making them takes minutes."""
    path = out / f"latents-{images.sha256()[:12]}.safetensors"
    if not path.is_file():
        parts = torch.from_numpy(images.images).split(ENCODE_BATCH)
        latents = torch.cat([_encoded(autoencoder, part) for part in parts])
        files.write_bytes(path, to_bytes({"latents": latents}))
    return Space(load_file(path)["latents"], autoencoder)


@torch.no_grad()
def _encoded(autoencoder: AutoencoderTiny, pixels: Tensor) -> Tensor:
    with autocast():
        pictures = to_tensor(pixels).contiguous(memory_format=torch.channels_last)
        return autoencoder.encode(pictures).latents.float().contiguous()
