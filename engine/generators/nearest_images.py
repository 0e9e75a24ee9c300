"""Finds the training images that are most like a sample of a run: is it learned by heart?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from engine import files
from engine.data.crop import with_channels
from engine.data.held_out import split
from engine.data.image_dataset import load_dataset
from engine.errors import FileError, ModelError
from engine.events import Metric, Notice, Preview, Progress, Report, Saved
from engine.gate.images import open_image
from engine.grid import cells_in, image_grid
from engine.nearest import Neighbours, TrainingImages, verdict
from engine.runs import RunFolder
from engine.task import Task, param

_kept: dict[tuple[str, str, str, int], TrainingImages] = {}
"""The dataset that was compared with last: one sample is seldom all that is looked at."""


@dataclass(frozen=True)
class NearestImages(Task):
    """Shows the sample and its nearest training images, and says how near they are and what would
    be usual. The Metric that it reports has `usual` and `distance_1`, `distance_2`, …"""

    title: ClassVar[str] = "Nearest training images"
    summary: ClassVar[str] = "Finds the training images that are most like a sample of a run."

    run_folder: str = param(
        label="Training run",
        help="The folder of the run whose sample is looked at.",
        kind="folder",
        required=True,
    )
    step: int = param(
        0,
        label="Step",
        help="The step whose sample grid the sample is in. 0 takes the newest.",
        minimum=0,
        maximum=100_000_000,
    )
    index: int = param(
        0,
        label="Sample",
        help="Which sample of the grid, counted row by row from 0.",
        minimum=0,
        maximum=100_000,
    )
    count: int = param(
        5,
        label="Images",
        help="How many of the nearest training images to show.",
        minimum=1,
        maximum=50,
    )
    save: bool = param(
        True,
        label="Save",
        help="Write the pictures side by side and a report; without it, they are only shown.",
        advanced=True,
    )

    def run(self, report: Report, out: Path) -> None:
        run = RunFolder(Path(self.run_folder).expanduser())
        description = run.description()
        step, path = _sample(run, self.step)
        picture = self._cut(path, _size(run, description))
        training = _training_images(run, description, report)
        picture = _like(picture, training.images)
        report(Progress(0, None, "comparing"))
        found = training.nearest(picture, self.count)
        usual = training.usual_distance()
        values = {"usual": usual} | {
            f"distance_{place}": float(distance)
            for place, distance in enumerate(found.distances, start=1)
        }
        shown = np.concatenate([picture[np.newaxis], training.images[found.indices]])
        for place, pixels in enumerate(shown):
            report(Preview(image_grid(pixels[np.newaxis], gap=0), place))
        report(Metric(step, values))
        report(Notice(verdict(float(found.distances[0]), usual)))
        if self.save:
            self._write(out, step, shown, found, usual, report)

    def _cut(self, path: Path, size: int) -> NDArray[np.uint8]:
        """The sample (size, size, 3) at its place in the grid."""
        grid = np.asarray(open_image(path).convert("RGB"))
        cells = cells_in(grid.shape[1], grid.shape[0], size)
        if cells is None:
            raise ModelError(
                f"{path} is no grid of images of {size} pixels.",
                "Choose a sample of another step or run.",
            )
        if self.index >= cells.count:
            raise ModelError(
                f"{path} holds {cells.count} samples; there is none with the number {self.index}.",
                f"Choose one from 0 to {cells.count - 1}.",
            )
        left, top = cells.corner(self.index)
        return grid[top : top + size, left : left + size]

    def _write(
        self,
        out: Path,
        step: int,
        shown: NDArray[np.uint8],
        found: Neighbours,
        usual: float,
        report: Report,
    ) -> None:
        files.make_folder(out)
        stem = f"{files.timestamp()}-nearest-{step}-{self.index}"
        picture = files.new_path(out, stem, ".png")
        grid = image_grid(shown, columns=len(shown))
        files.write_with(picture, lambda temporary: grid.save(temporary, "PNG"))
        report(Saved(picture))
        told = {
            "step": step,
            "sample": self.index,
            "training_images": found.indices.tolist(),
            "distances": [round(float(distance), 5) for distance in found.distances],
            "usual_distance": round(usual, 5),
            "verdict": verdict(float(found.distances[0]), usual),
        }
        files.write_json(picture.with_suffix(".json"), told)
        report(Saved(picture.with_suffix(".json")))


def _sample(run: RunFolder, step: int) -> tuple[int, Path]:
    samples = [(number, path) for number, path in run.samples() if path.suffix == ".png"]
    wanted = [sample for sample in samples if step in (0, sample[0])]
    if not wanted:
        raise FileError(
            f"{run.path} has no sample grid{f' of step {step}' if step else ''}.",
            "Let it train until there is one, or choose another step.",
        )
    return wanted[-1]


def _size(run: RunFolder, description: dict[str, Any]) -> int:
    model = description.get("model")
    size = model.get("image_size") if isinstance(model, dict) else None
    if not isinstance(size, int) or size < 1:
        raise ModelError(
            f"{run.path} does not say how large its images are.",
            "Choose a run that learned to draw images.",
        )
    return size


def _training_images(run: RunFolder, description: dict[str, Any], report: Report) -> TrainingImages:
    """What the run learned from, as it saw it; kept, because one sample is seldom all."""
    fields = description.get("fields")
    fields = fields if isinstance(fields, dict) else {}
    told = description.get("dataset")
    told = told if isinstance(told, dict) else {}
    name, held_out = fields.get("dataset"), told.get("held_out", 0)
    if not isinstance(name, str) or not isinstance(held_out, int):
        raise ModelError(f"{run.path} does not say what it learned from.", "Choose another run.")
    key = (name, str(_size(run, description)), str(fields.get("color", "auto")), held_out)
    if key not in _kept:
        data = load_dataset(*key[:3], report)
        if told.get("sha256", data.sha256()) != data.sha256():
            report(Notice("The data is not the same as when this run learned from it."))
        learned, _ = split(len(data), 1.0, held_out)
        _kept.clear()
        _kept[key] = TrainingImages(data.images[learned])
    return _kept[key]


def _like(picture: NDArray[np.uint8], images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """With as many channels as the training images have."""
    alike: NDArray[np.uint8] = with_channels(picture[np.newaxis], images.shape[3])[0]
    return alike
