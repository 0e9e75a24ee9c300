"""Images to learn from: one uint8 array in memory, whatever they came from; some with classes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.data import crop, digits, idx, image_folder, image_labels
from engine.data.image_labels import Labels
from engine.errors import DatasetError
from engine.events import Report

AUTO = "auto"
IMAGE_SIZES = (AUTO, *map(str, crop.SIZES))
STICKERS = "engine.data.stickers"
CHANNELS = {"gray": 1, "color": 3}
COLORS = (AUTO, *CHANNELS)


@dataclass(frozen=True)
class ImageDataset:
    """Square images of one size: uint8 (N, H, W, C) with 1 or 3 channels.

    `classes` are the names of the kinds of images there are, `labels` (N,) the number of each
    image's; none where nobody sorted them.
    """

    name: str
    images: NDArray[np.uint8]
    classes: tuple[str, ...] = ()
    labels: NDArray[np.int64] | None = None

    @property
    def image_size(self) -> int:
        return int(self.images.shape[1])

    @property
    def channels(self) -> int:
        return int(self.images.shape[3])

    def __len__(self) -> int:
        return len(self.images)

    def sha256(self) -> str:
        """Of the pixels as they are learned from: tells whether two runs saw the same data."""
        return hashlib.sha256(np.ascontiguousarray(self.images).data).hexdigest()

    def labels_sha256(self) -> str:
        """Of the classes and of which image is of which."""
        digest = hashlib.sha256(repr(self.classes).encode())
        if self.labels is not None:
            digest.update(np.ascontiguousarray(self.labels).data)
        return digest.hexdigest()


def dataset_names() -> tuple[str, ...]:
    """The datasets that ship with the studio; any path is a dataset too."""
    return ("digits", "stickers") if _has_stickers() else ("digits",)


def load_dataset(name: str, image_size: str, color: str, report: Report) -> ImageDataset:
    """The dataset called `name`, an IDX file or a folder of images; raises DatasetError.

    `image_size` is one of IMAGE_SIZES, `color` one of COLORS; "auto" takes what the images have.
    """
    size = None if image_size == AUTO else int(image_size)
    images, labels = _read(name, size, report)
    images = crop.squares(images, size or crop.natural_size(*images.shape[1:3]))
    channels = CHANNELS.get(color) or (1 if crop.is_gray(images) else 3)
    return ImageDataset(
        name, crop.with_channels(images, channels), labels.classes, labels.of_images
    )


def _read(name: str, size: int | None, report: Report) -> tuple[NDArray[np.uint8], Labels]:
    if name == "digits":
        images, kinds = digits.load_digits()
        return images, image_labels.numbered(kinds)
    if name == "stickers" and _has_stickers():
        stickers: NDArray[np.uint8] = import_module(STICKERS).load_stickers()
        return stickers, Labels()
    path = Path(name).expanduser()
    if path.is_dir():
        images, paths = image_folder.load_with_paths(path, size, report)
        return images, image_labels.of_folders(path, paths)
    if path.is_file():
        images = idx.read_images(path)
        return images, image_labels.beside(path, len(images))
    raise DatasetError(
        f"There is no dataset at {path}.",
        f"Choose {' or '.join(dataset_names())}, or give the path of a folder of images or of an "
        "IDX file.",
    )


def _has_stickers() -> bool:
    return find_spec(STICKERS) is not None
