"""Any folder of images, with all its subfolders, decoded once into memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine import memory
from engine.data import crop
from engine.errors import DatasetError, FileError
from engine.events import Notice, Progress, Report
from engine.gate.images import open_image

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
MAX_DEPTH = 32  # folders in folders
NAMED = 5  # unreadable files that a message lists


def load_folder(folder: Path, size: int | None, report: Report) -> NDArray[np.uint8]:
    """The images as RGB (N, size, size, 3), in the order of their paths.

    Without a size the first image decides. Images that cannot be read are named in a Notice and
    left out. Raises DatasetError when there are none, OutOfMemory when there are too many.
    """
    return load_with_paths(folder, size, report)[0]


def load_with_paths(
    folder: Path, size: int | None, report: Report
) -> tuple[NDArray[np.uint8], list[Path]]:
    """What `load_folder` gives, and the path of each image."""
    paths = sorted(image_paths(folder))
    if not paths:
        raise DatasetError(
            f"There are no images in {folder}.",
            f"Put images into it ({', '.join(SUFFIXES)}) or choose another folder.",
        )
    images: NDArray[np.uint8] | None = None
    kept: list[Path] = []
    unreadable: list[FileError] = []
    for number, path in enumerate(paths):
        report(Progress(number, len(paths), "reading the images"))
        try:
            image = open_image(path)
        except FileError as error:
            unreadable.append(error)
            continue
        if images is None:
            images = _room(len(paths), size or crop.natural_size(*image.size))
        images[len(kept)] = np.asarray(crop.square(_on_white(image), images.shape[1]))
        kept.append(path)
    _tell(folder, unreadable, len(kept), report)
    assert images is not None
    return images[: len(kept)], kept


def image_paths(folder: Path) -> Iterator[Path]:
    """Files below `folder` that are named like images; links are followed, but never in circles."""
    yield from _paths(folder, set(), 0)


def _paths(folder: Path, seen: set[Path], depth: int) -> Iterator[Path]:
    real = folder.resolve()
    if real in seen or depth > MAX_DEPTH:
        return
    seen.add(real)
    for entry in _entries(folder):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _paths(Path(entry.path), seen, depth + 1)
        elif Path(entry.name).suffix.lower() in SUFFIXES:
            yield Path(entry.path)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        return sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise DatasetError(
            f"The folder {folder} cannot be read: {error.strerror}.",
            "Check its permissions, or choose another folder.",
        ) from error


def _room(count: int, size: int) -> NDArray[np.uint8]:
    memory.require(
        count * size * size * 3 * 2,  # what is learned from needs as much again
        f"{count:,} images of {size} pixels need",
        "Choose a smaller image size, or a folder with fewer images.",
    )
    return np.empty((count, size, size, 3), np.uint8)


def _on_white(image: Image.Image) -> Image.Image:
    """RGB; what is transparent becomes white, as on paper."""
    if image.mode == "RGB":
        return image
    paper = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(paper, image.convert("RGBA")).convert("RGB")


def _tell(folder: Path, unreadable: list[FileError], count: int, report: Report) -> None:
    if not unreadable:
        return
    listed = " ".join(error.message for error in unreadable[:NAMED])
    more = len(unreadable) - NAMED
    listed += f" And {more:,} more." if more > 0 else ""
    if count == 0:
        raise DatasetError(
            f"None of the {len(unreadable):,} images in {folder} can be read. {listed}",
            "Open one of them in an image viewer, or choose another folder.",
        )
    report(Notice(f"{len(unreadable):,} images were left out. {listed}"))
