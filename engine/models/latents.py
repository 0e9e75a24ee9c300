"""Pictures as an autoencoder's latents, and what shows latents as colours."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderTiny
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from engine.events import Progress, Report
from engine.models.tiny_autoencoder import REDUCTION, to_tensor

BATCH = 32


@torch.inference_mode()
def encoded(
    autoencoder: AutoencoderTiny, images: NDArray[np.uint8], device: torch.device, report: Report
) -> tuple[Tensor, Tensor]:
    """Pictures (N, H, W, 3) as latents (N, C, H/8, W/8), scaled as the pipeline does, and the mean
    colours (N, 3, H/8, W/8) of their pixels.
    """
    latents, colors = [], []
    for start in range(0, len(images), BATCH):
        report(Progress(start, len(images), "encoding the pictures"))
        pixels = torch.from_numpy(images[start : start + BATCH])
        pictures = to_tensor(pixels).to(device, memory_format=torch.channels_last)
        latents.append(autoencoder.encode(pictures).latents.float().cpu())
        colors.append(F.avg_pool2d(pictures, REDUCTION).cpu())
    config = autoencoder.config
    scaled = (torch.cat(latents) - config.shift_factor) * config.scaling_factor
    return scaled.clone(), torch.cat(colors)


def projection(latents: Tensor, colors: Tensor) -> dict[str, Any]:
    """{"factors": (C, 3), "bias": (3,)}: the least squares fit from latents to colours."""
    rows = latents.permute(0, 2, 3, 1).flatten(0, 2)
    known = torch.cat((rows, torch.ones(len(rows), 1)), dim=1)
    fit = torch.linalg.lstsq(known, colors.permute(0, 2, 3, 1).flatten(0, 2)).solution
    return {"factors": fit[:-1].tolist(), "bias": fit[-1].tolist()}
