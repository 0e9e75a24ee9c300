"""Trains a generative adversarial network on images (Goodfellow et al. 2014, 1406.2661)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from engine.data.image_dataset import load_dataset
from engine.events import Report
from engine.image_training import ImageTraining, ema_decay_param, evaluate_every_param
from engine.task import Task, param
from engine.training import Learner

MODELS = ("dcgan", "conv", "mlp_small", "mlp_large")
LOSSES = ("hinge", "non_saturating", "wgan_gp", "relativistic")
AUGMENT = ("auto", "on", "off")
FEW_IMAGES = 10_000  # below, a discriminator learns them by heart


@dataclass(frozen=True)
class TrainGan(ImageTraining):
    """Two networks: one draws, the other tells drawn from real; each learns from the other."""

    title: ClassVar[str] = "GAN"
    summary: ClassVar[str] = "Learn to draw images like those of a dataset."

    model: str = param(
        "dcgan",
        label="Model",
        help="dcgan draws best. conv is a smaller convolutional one; the mlp ones have fully "
        "connected layers only: quick, but their pictures stay grainy.",
        choices=MODELS,
    )
    width: int = param(
        0,
        label="Width",
        help="Features in the layer next to the image (dcgan and conv). Twice the width draws "
        "finer and takes about three times as long. 0 takes 64, or 32 for images of 64 pixels.",
        minimum=0,
        maximum=1024,
        advanced=True,
    )
    latent_dim: int = param(
        100,
        label="Latent size",
        help="How many random numbers each image is drawn from. Fewer make smoother walks from one "
        "image to another, too few make images alike.",
        minimum=1,
        maximum=4096,
        advanced=True,
    )
    loss: str = param(
        "hinge",
        label="Loss",
        help="What the two networks strive for: hinge is steady, non_saturating the classic. "
        "wgan_gp and relativistic bind the discriminator by a penalty; they are quicker when the "
        "generator's learning rate is the higher one, such as 0.001 against 0.0005.",
        choices=LOSSES,
        advanced=True,
    )
    gamma: float = param(
        0.0,
        label="Penalty",
        help="Weight of the gradient penalty of wgan_gp and relativistic. More is steadier, and "
        "slower to sharpen. 0 takes the loss's own: 10 for wgan_gp, 1 for relativistic.",
        minimum=0.0,
        maximum=1000.0,
        advanced=True,
        zero="auto",
        live=True,
    )
    augment: str = param(
        "auto",
        label="Augment",
        help="Show the discriminator images moved, with a piece cut out, and in other colors, so "
        "that it cannot learn a few images by heart. auto does so below 10,000 images.",
        choices=AUGMENT,
        advanced=True,
    )
    generator_learning_rate: float = param(
        5e-4,
        label="Generator learning rate",
        help="How far the generator moves in a step. Too high: pictures jump and break; too low: "
        "they take long to appear.",
        minimum=0.0,
        maximum=1.0,
        advanced=True,
        live=True,
    )
    discriminator_learning_rate: float = param(
        1e-3,
        label="Discriminator learning rate",
        help="How far the discriminator moves in a step. Higher makes it stricter.",
        minimum=0.0,
        maximum=1.0,
        advanced=True,
        live=True,
    )
    beta1: float = param(
        0.5,
        label="Beta 1",
        help="Momentum of both Adam optimizers. GANs want less of it (0 to 0.5) than other "
        "networks; more makes the training swing.",
        minimum=0.0,
        maximum=0.9999,
        advanced=True,
    )
    beta2: float = param(
        0.99,
        label="Beta 2",
        help="How long Adam remembers the size of the gradients. Lower adapts faster.",
        minimum=0.0,
        maximum=0.99999,
        advanced=True,
    )
    ema_decay: float = ema_decay_param(0.995)
    held_out: float = param(
        0.2,
        label="Held out",
        help="The part of the images that is never learned from: quality is measured against it. "
        "At most 2,000 images; none where it would be fewer than a hundred.",
        minimum=0.0,
        maximum=0.5,
        advanced=True,
    )
    evaluate_every: int = evaluate_every_param()

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Task:
        """A run of the time when nothing was held out or augmented goes on as it began."""
        before: dict[str, Any] = {"held_out": 0.0, "augment": "off"}
        return super().from_dict({**before, **values} if values.get("resume") else values)

    def augments(self, num_images: int) -> bool:
        """Whether the discriminator sees the images changed, of which there are so many."""
        return self.augment == "on" or (self.augment == "auto" and num_images < FEW_IMAGES)

    def learner(self, report: Report) -> Learner:
        from engine.trainers.gan_learner import GanLearner

        data = load_dataset(self.dataset, self.image_size, self.color, report)
        return GanLearner(self, data)
