"""Looks at a dataset of images before anything is learned from it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from PIL import Image, ImageOps

from engine import files
from engine.data import captioned_images, digits, idx
from engine.data.image_dataset import dataset_names
from engine.data.inspection import CELL, SHOWN, Inspection, relative
from engine.errors import DatasetError, FileError
from engine.events import Progress, Report, Saved
from engine.gate.images import open_image, read_mode
from engine.grid import image_grid
from engine.task import Task, param

STAGE = "looking at the images"


@dataclass(frozen=True)
class Found:
    """An image of the dataset, or why there is none."""

    name: str
    image: Image.Image | None
    mode: str = ""
    caption: str = ""
    error: FileError | None = None


@dataclass(frozen=True)
class InspectDataset(Task):
    """Writes a report as JSON and a grid of images, evenly chosen over the dataset."""

    title: ClassVar[str] = "Look at a dataset"
    summary: ClassVar[str] = "Counts the images of a dataset; finds broken and doubled ones."

    dataset: str = param(
        "digits",
        label="Dataset",
        help="What to look at: an embedded dataset, a folder of images, or an IDX file.",
        choices=dataset_names,
        editable=True,
        kind="folder",
        required=True,
    )

    def run(self, report: Report, out: Path) -> None:
        files.make_folder(out)
        total, found = self._open()
        if total == 0:
            raise DatasetError(
                f"There are no images in {self.dataset}.",
                "Put images into it, or choose another folder.",
            )
        shown = set(np.linspace(0, total - 1, min(SHOWN, total)).astype(int).tolist())
        inspection, cells = Inspection(self.dataset), []
        for number, one in enumerate(found):
            report(Progress(number, total, STAGE))
            if one.image is None:
                inspection.add_broken(one.name, one.error or FileError("It cannot be read."))
                continue
            inspection.add(one.name, one.image, one.mode, one.caption)
            if number in shown:
                cells.append(_cell(one.image))
        report(Progress(total, total, "comparing the images"))
        self._write(out, inspection, cells, report)

    def _write(
        self, out: Path, inspection: Inspection, cells: list[Image.Image], report: Report
    ) -> None:
        """The same names every time, so that looking again replaces what was seen before."""
        stem = f"dataset-{hashlib.sha256(self.dataset.encode()).hexdigest()[:12]}"
        told = out / f"{stem}.json"
        files.write_json(told, inspection.report())
        report(Saved(told))
        if cells:
            grid = image_grid(np.stack([np.asarray(cell) for cell in cells]))
            picture = out / f"{stem}.png"
            files.write_with(picture, lambda temporary: grid.save(temporary, "PNG"))
            report(Saved(picture))

    def _open(self) -> tuple[int, Iterator[Found]]:
        """How many there are, and each of them."""
        path = Path(self.dataset).expanduser()
        if self.dataset in dataset_names():
            images = _embedded(self.dataset)
            return len(images), _of_array(images)
        if path.is_dir():
            listed = list(captioned_images.entries(path))
            return len(listed), (_of_file(path, file, captions) for file, captions in listed)
        if path.is_file():
            images = idx.read_images(path)
            return len(images), _of_array(images)
        raise DatasetError(
            f"There is no dataset at {path}.",
            f"Choose {' or '.join(dataset_names())}, or give the path of a folder or IDX file.",
        )


def _embedded(name: str) -> idx.Bytes:
    if name == "digits":
        return digits.load_digits()[0]
    from engine.data.stickers import load_stickers

    return load_stickers()


def _of_array(images: idx.Bytes) -> Iterator[Found]:
    for number, pixels in enumerate(images):
        image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
        yield Found(f"image {number:,}", image, image.mode)


def _of_file(folder: Path, path: Path, captions: tuple[str, ...]) -> Found:
    name = relative(path, folder)
    try:
        return Found(name, open_image(path), read_mode(path), " · ".join(captions))
    except FileError as error:
        why = error.message.removeprefix(f"{path} ")  # the name stands beside it
        return Found(name, None, error=FileError(why, error.hint))


def _cell(image: Image.Image) -> Image.Image:
    """The whole image in a square; what is transparent becomes white."""
    seen = image.convert("RGBA")
    paper = Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen).convert("RGB")
    return ImageOps.pad(paper, (CELL, CELL), color=(128, 128, 128))
