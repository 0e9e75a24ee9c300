"""What trainers on plain images share: which images, how large, gray or in color."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.data.image_dataset import AUTO, COLORS, IMAGE_SIZES, dataset_names
from engine.task import param
from engine.training import TrainingTask, precision_param


def held_out_param() -> Any:
    """The part of the images that val_loss is measured on."""
    return param(
        0.05,
        label="Held out",
        help="The part of the images that is never learned from: val_loss is measured on it, and "
        "rises when the others are learned by heart. At most 512 images are held out.",
        minimum=0.0,
        maximum=0.5,
        advanced=True,
    )


def validate_every_param() -> Any:
    """How often val_loss is measured."""
    return param(
        50,
        label="Validate every",
        help="Steps between two measurements of val_loss; made where the curves get a point.",
        minimum=1,
        maximum=1_000_000,
        advanced=True,
        unit="steps",
    )


def evaluate_every_param() -> Any:
    """How often kid, precision and recall are measured."""
    return param(
        0,
        label="Measure quality every",
        help="Steps between two measurements of quality (KID, precision, recall): up to 2,000 "
        "drawn images are compared with real ones, which takes a few seconds each time. What is "
        "learned does not change. 0 measures nothing.",
        minimum=0,
        maximum=1_000_000,
        advanced=True,
        unit="steps",
        zero="never",
    )


def ema_decay_param(default: float) -> Any:
    """How many steps the weights that draw are averaged over."""
    return param(
        default,
        label="Averaging",
        help="Samples are drawn from an average over the last steps, which is cleaner than any "
        "single step: 0.995 spans about 200 of them. 0 draws from the last step alone.",
        minimum=0.0,
        maximum=0.99999,
        advanced=True,
    )


@dataclass(frozen=True)
class ImageTraining(TrainingTask):
    """A task that learns from an ImageDataset."""

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
    precision: str = precision_param()

    def __post_init__(self) -> None:
        """A relative path becomes absolute, so that the run can go on from anywhere."""
        super().__post_init__()
        if self.dataset not in dataset_names():
            path = Path(self.dataset).expanduser().absolute()
            object.__setattr__(self, "dataset", str(path))
