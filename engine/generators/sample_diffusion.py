"""Draws images with a diffusion model that was trained here, or is being trained now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from engine.checks import shown
from engine.errors import InvalidTask
from engine.events import Preview, Report
from engine.grid import image_grid
from engine.run_sampling import AVERAGED, LAST, RunSampling, noise
from engine.task import param

if TYPE_CHECKING:
    from torch import Tensor, nn

    from engine.models.pixel_unet import PixelUnetConfig

EACH, ANY = "each", "any"
SHOWN = 20  # classes that a message lists


@dataclass(frozen=True)
class SampleDiffusion(RunSampling):
    """Each image is what the UNet makes, in a few steps, of the noise of its seed."""

    title: ClassVar[str] = "Draw from a diffusion model"
    summary: ClassVar[str] = "Draws images with a diffusion model from a training run."
    trainer: ClassVar[str] = "train_diffusion"
    kind: ClassVar[str] = "a diffusion model"
    networks: ClassVar[Mapping[str, str]] = {AVERAGED: "unet_ema", LAST: "unet"}

    class_name: str = param(
        EACH,
        label="Class",
        help="What the images should show, by the name of its class: a digit, or a sub-folder of "
        "what the model learned from. each draws one class after the other; any leaves it to the "
        "model.",
        choices=(EACH, ANY),
        editable=True,
    )
    num_inference_steps: int = param(
        20,
        label="Steps",
        help="Denoising steps for each image. More are cleaner and take longer.",
        minimum=1,
        maximum=1000,
    )
    guidance_scale: float = param(
        2.0,
        label="Guidance",
        help="How strongly the class is followed: 1 draws what is typical of it with all its "
        "variety, more draws clearer and more alike.",
        minimum=1.0,
        maximum=20.0,
    )

    def config(self, model: Any) -> PixelUnetConfig:
        from engine.models.pixel_unet import PixelUnetConfig

        return PixelUnetConfig(**{**model, "classes": tuple(model["classes"])})

    def build(self, config: PixelUnetConfig) -> nn.Module:
        from engine.models.pixel_unet import PixelUnet

        return PixelUnet(config)

    def check(self, config: PixelUnetConfig) -> None:
        classes = config.classes
        if self.class_name in (EACH, ANY, *classes):
            return
        named = ", ".join(classes[:SHOWN]) + (", …" if len(classes) > SHOWN else "")
        raise InvalidTask(
            "class_name",
            f"This model knows no class named {shown(self.class_name)}.",
            f"Choose {EACH}, {ANY} or one of: {named}."
            if classes
            else f"It learned without classes: choose {ANY}.",
        )

    def draw(self, network: Any, config: PixelUnetConfig, report: Report) -> NDArray[np.uint8]:
        """Reports a Preview after each step."""
        from engine.models.gan import to_pixels
        from engine.models.pixel_diffusion import draw

        def so_far(step: int, images: Tensor) -> None:
            report(Preview(image_grid(to_pixels(images), gap=0)))

        start = noise(self.seed, *config.shape)
        classes = self._class(config)
        steps, guidance = self.num_inference_steps, self.guidance_scale
        return to_pixels(draw(network, start, classes, steps, guidance, so_far))

    def _class(self, config: PixelUnetConfig) -> Tensor | None:
        """Its number, (1,); None where the model has no classes. `each` goes round with the seed,
        so that an image has the same class alone as among others.
        """
        import torch

        if not config.num_classes:
            return None
        if self.class_name in config.classes:
            return torch.tensor([config.classes.index(self.class_name)])
        each = self.class_name == EACH
        return torch.tensor([self.seed % config.num_classes if each else config.num_classes])
