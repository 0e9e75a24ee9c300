"""Trains a generative adversarial network on images (Goodfellow et al. 2014, 1406.2661)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from engine.data.image_dataset import AUTO, COLORS, IMAGE_SIZES, dataset_names, load_dataset
from engine.task import Report, param
from engine.training import Learner, TrainingTask, precision_param

MODELS = ("dcgan", "conv", "mlp_small", "mlp_large")
LOSSES = ("hinge", "non_saturating")


@dataclass(frozen=True)
class TrainGan(TrainingTask):
    """Two networks: one draws, the other tells drawn from real; each learns from the other."""

    title: ClassVar[str] = "GAN"
    summary: ClassVar[str] = "Learn to draw images like those of a dataset."

    dataset: str = param(
        "digits",
        label="Dataset",
        help="What to learn to draw: an embedded dataset, a folder of images (with its "
        "subfolders), or an IDX file such as MNIST's train-images-idx3-ubyte.gz.",
        choices=dataset_names,
        editable=True,
        kind="folder",
        required=True,
    )
    model: str = param(
        "dcgan",
        label="Model",
        help="dcgan draws best. conv is a smaller convolutional one; the mlp ones have fully "
        "connected layers only: quick, but their pictures stay grainy.",
        choices=MODELS,
    )
    image_size: str = param(
        AUTO,
        label="Image size",
        help="Width and height of the drawn images. auto takes the size of the dataset, up to 64; "
        "at 64 a step takes several times as long as at 28.",
        choices=IMAGE_SIZES,
        unit="px",
    )
    color: str = param(
        AUTO,
        label="Color",
        help="Draw in gray or in color. auto looks at the dataset.",
        choices=COLORS,
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
        help="What the two networks strive for: hinge is steady, non_saturating the classic.",
        choices=LOSSES,
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
    )
    discriminator_learning_rate: float = param(
        1e-3,
        label="Discriminator learning rate",
        help="How far the discriminator moves in a step. Higher makes it stricter.",
        minimum=0.0,
        maximum=1.0,
        advanced=True,
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
    ema_decay: float = param(
        0.995,
        label="Averaging",
        help="Samples are drawn from an average over the last steps, which is cleaner than any "
        "single step: 0.995 spans about 200 of them. 0 draws from the last step alone.",
        minimum=0.0,
        maximum=0.99999,
        advanced=True,
    )

    precision: str = precision_param()

    def __post_init__(self) -> None:
        """A relative path becomes absolute, so that the run can go on from anywhere."""
        super().__post_init__()
        if self.dataset not in dataset_names():
            path = Path(self.dataset).expanduser().absolute()
            object.__setattr__(self, "dataset", str(path))

    def learner(self, report: Report) -> Learner:
        from engine.trainers.gan_learner import GanLearner

        data = load_dataset(self.dataset, self.image_size, self.color, report)
        return GanLearner(self, data)
