"""Draws images with a GAN that was trained here, or is being trained now."""

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

    from engine.models.gan import GanConfig


@dataclass(frozen=True)
class SampleGan(RunSampling):
    """Each image is what the generator makes of the noise of its seed."""

    title: ClassVar[str] = "Draw from a GAN"
    summary: ClassVar[str] = "Draws images with a GAN from a training run."
    trainer: ClassVar[str] = "train_gan"
    kind: ClassVar[str] = "a GAN"
    networks: ClassVar[Mapping[str, str]] = {AVERAGED: "generator_ema", LAST: "generator"}

    def config(self, model: Any) -> GanConfig:
        from engine.models.gan import GanConfig

        return GanConfig(**model)

    def build(self, config: GanConfig) -> nn.Module:
        from engine.models import gan

        return gan.build(config).generator

    def draw(self, network: Any, config: GanConfig, report: Report) -> NDArray[np.uint8]:
        from engine.models.gan import to_pixels

        return to_pixels(network(noise(self.seed, config.latent_dim)))
