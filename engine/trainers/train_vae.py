"""Trains a β-VAE on images (Kingma & Welling 2014, 1312.6114; Higgins et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from engine.data.image_dataset import load_dataset
from engine.events import Report
from engine.image_training import (
    ImageTraining,
    ema_decay_param,
    evaluate_every_param,
    held_out_param,
    validate_every_param,
)
from engine.task import param
from engine.training import Learner

WIDTHS = {"small": 16, "medium": 32, "large": 64}


@dataclass(frozen=True)
class TrainVae(ImageTraining):
    """An encoder packs an image into a few numbers, a decoder draws it again from them."""

    title: ClassVar[str] = "VAE"
    summary: ClassVar[str] = "Learn to pack images into a few numbers, and to draw new ones."

    model: str = param(
        "medium",
        label="Model",
        help="How many features the layers have. Twice as many draw sharper and take about three "
        "times as long.",
        choices=tuple(WIDTHS),
    )
    latent_dim: int = param(
        16,
        label="Latent size",
        help="How many numbers each image is packed into. More keep finer details; new images "
        "drawn from them become less clear.",
        minimum=1,
        maximum=4096,
    )
    beta: float = param(
        1.0,
        label="Beta",
        help="Weight of the KL term. More makes new images cleaner and each latent number mean "
        "one thing, but details are lost; less makes reconstructions sharper.",
        minimum=0.0,
        maximum=1000.0,
        live=True,
    )
    beta_warmup_steps: int = param(
        200,
        label="Beta warm-up",
        help="Steps over which beta rises from 0, so that the latents come into use before they "
        "are held together.",
        minimum=0,
        maximum=1_000_000,
        advanced=True,
        unit="steps",
    )
    learning_rate: float = param(
        2e-3,
        label="Learning rate",
        help="How far the weights move in a step. Too high: the loss jumps; too low: pictures "
        "stay blurred for long.",
        minimum=0.0,
        maximum=1.0,
        advanced=True,
        live=True,
    )
    ema_decay: float = ema_decay_param(0.99)
    held_out: float = held_out_param()
    validate_every: int = validate_every_param()
    evaluate_every: int = evaluate_every_param()

    def learner(self, report: Report) -> Learner:
        from engine.trainers.vae_learner import VaeLearner

        data = load_dataset(self.dataset, self.image_size, self.color, report)
        return VaeLearner(self, data)
