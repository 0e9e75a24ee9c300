"""Draws images with a VAE that was trained here, or is being trained now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from engine.events import Report
from engine.run_sampling import AVERAGED, LAST, RunSampling, noise

if TYPE_CHECKING:
    from torch import nn

    from engine.models.vae import VaeConfig


@dataclass(frozen=True)
class SampleVae(RunSampling):
    """Each image is what the decoder makes of latents drawn from the prior with its seed."""

    title: ClassVar[str] = "Draw from a VAE"
    summary: ClassVar[str] = "Draws images with a VAE from a training run."
    trainer: ClassVar[str] = "train_vae"
    kind: ClassVar[str] = "a VAE"
    networks: ClassVar[Mapping[str, str]] = {AVERAGED: "vae_ema", LAST: "vae"}

    def config(self, model: Any) -> VaeConfig:
        from engine.models.vae import VaeConfig

        return VaeConfig(**model)

    def build(self, config: VaeConfig) -> nn.Module:
        from engine.models.vae import Vae

        return Vae(config)

    def draw(self, network: Any, config: VaeConfig, report: Report) -> NDArray[np.uint8]:
        from engine.models.gan import to_pixels

        return to_pixels(network.draw(noise(self.seed, config.latent_dim)))
