"""Trains the autoencoder that a text-to-image model needs, on any folder of images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from engine.events import Report
from engine.task import param
from engine.training import Learner, TrainingTask, precision_param


@dataclass(frozen=True)
class TrainAutoencoder(TrainingTask):
    """A small convolutional autoencoder, from random crops; latents are an eighth as wide."""

    title: ClassVar[str] = "Autoencoder"
    summary: ClassVar[str] = "Learn to pack pictures into latents, for a text-to-image model."

    dataset: str = param(
        "",
        label="Dataset",
        help="A folder of images; captions are not needed.",
        kind="folder",
        required=True,
    )
    image_size: int = param(
        128,
        label="Image size",
        help="Width and height to which the images are cut and resized before cropping.",
        minimum=16,
        maximum=1024,
        multiple_of=16,
        unit="px",
    )
    crop_size: int = param(
        64,
        label="Crop size",
        help="Width and height of the random pieces that are learned from; smaller is faster.",
        minimum=16,
        maximum=1024,
        multiple_of=8,
        advanced=True,
        unit="px",
    )
    latent_channels: int = param(
        16,
        label="Latent channels",
        help="Numbers kept for each square of 8×8 pixels. More keep finer details, and are harder "
        "to draw. The inpainting pipelines want 16.",
        minimum=1,
        maximum=64,
        advanced=True,
    )
    width: int = param(
        64,
        label="Width",
        help="Features in each layer. Twice the width is sharper and takes four times as long.",
        minimum=8,
        maximum=512,
        advanced=True,
    )
    learning_rate: float = param(
        1.5e-3,
        label="Learning rate",
        help="How far the weights move in a step; it falls over the run. Too high: the loss jumps.",
        minimum=0.0,
        maximum=1.0,
        advanced=True,
        live=True,
    )
    ema_decay: float = param(
        0.99,
        label="Averaging",
        help="The result is an average over the last steps: 0.99 spans about 100 of them.",
        minimum=0.0,
        maximum=0.99999,
        advanced=True,
    )
    precision: str = precision_param()

    def __post_init__(self) -> None:
        """A relative path becomes absolute, so that the run can go on from anywhere."""
        super().__post_init__()
        object.__setattr__(self, "dataset", str(Path(self.dataset).expanduser().absolute()))

    def learner(self, report: Report) -> Learner:
        from engine.data.captioned_images import load_captioned_folder
        from engine.trainers.autoencoder_learner import AutoencoderLearner

        data = load_captioned_folder(
            Path(self.dataset), self.image_size, report, need_captions=False
        )
        return AutoencoderLearner(self, data)
