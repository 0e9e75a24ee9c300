"""Trains a diffusion model on images: flow matching (2210.02747) or DDPM (2006.11239)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from engine.data.image_dataset import ImageDataset, load_dataset
from engine.errors import DatasetError
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

WIDTHS = {"tiny": 16, "small": 32, "medium": 64, "large": 128}
OBJECTIVES = ("flow_matching", "ddpm")
CLASSES = ("auto", "on", "off")


@dataclass(frozen=True)
class TrainDiffusion(ImageTraining):
    """A UNet learns to take noise away; from nothing but noise it then makes a picture."""

    title: ClassVar[str] = "Diffusion"
    summary: ClassVar[str] = "Learn to turn noise into images, step by step; of a class you choose."

    model: str = param(
        "small",
        label="Model",
        help="How many features the UNet has. Twice as many draw finer and take about three times "
        "as long. tiny is for trying things out.",
        choices=tuple(WIDTHS),
    )
    objective: str = param(
        "flow_matching",
        label="Objective",
        help="What the UNet learns to tell of a noisy image: flow_matching the way from noise to "
        "image, which few steps can follow; ddpm the noise in it, the classic.",
        choices=OBJECTIVES,
    )
    classes: str = param(
        "auto",
        label="Classes",
        help="Learn which kind each image is of, so that you can ask for one: the digits, the "
        "sub-folders of a folder of images, the labels beside an IDX file. auto does so where "
        "there are any.",
        choices=CLASSES,
    )
    class_dropout: float = param(
        0.1,
        label="Class dropout",
        help="How often the class is kept from the model, which guidance needs: it leads away from "
        "what is drawn without a class.",
        minimum=0.0,
        maximum=1.0,
        advanced=True,
        live=True,
    )
    learning_rate: float = param(
        1e-3,
        label="Learning rate",
        help="How far the weights move in a step. Too high: the loss jumps; too low: pictures "
        "stay noisy for long.",
        minimum=0.0,
        maximum=1.0,
        advanced=True,
        live=True,
    )
    warmup_steps: int = param(
        50,
        label="Warm-up",
        help="Steps over which the learning rate rises to its full height.",
        minimum=0,
        maximum=1_000_000,
        advanced=True,
        unit="steps",
    )
    grad_clip: float = param(
        1.0,
        label="Gradient clip",
        help="Longer gradients are cut to this norm, so that one bad batch does no harm. "
        "0 cuts nothing.",
        minimum=0.0,
        maximum=1000.0,
        advanced=True,
        zero="off",
    )
    ema_decay: float = ema_decay_param(0.99)
    sample_steps: int = param(
        10,
        label="Sampling steps",
        help="Denoising steps for the sample grid. More are cleaner and take longer.",
        minimum=1,
        maximum=1000,
        advanced=True,
    )
    sample_guidance: float = param(
        2.0,
        label="Sampling guidance",
        help="How strongly the sample grid follows the classes; 1 is without guidance.",
        minimum=1.0,
        maximum=20.0,
        advanced=True,
        live=True,
    )
    held_out: float = held_out_param()
    validate_every: int = validate_every_param()
    evaluate_every: int = evaluate_every_param()

    def learner(self, report: Report) -> Learner:
        from engine.trainers.diffusion_learner import DiffusionLearner

        data = load_dataset(self.dataset, self.image_size, self.color, report)
        return DiffusionLearner(self, data, self._chosen_classes(data))

    def _chosen_classes(self, data: ImageDataset) -> tuple[str, ...]:
        """None for learning without them; raises DatasetError when they are asked for in vain."""
        if self.classes == "on" and not data.classes:
            raise DatasetError(
                f"The images of {data.name} are not sorted into classes.",
                "Sort them into sub-folders, one for each class, or set classes to off.",
            )
        return () if self.classes == "off" else data.classes
