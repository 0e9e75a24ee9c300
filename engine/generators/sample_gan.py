"""Draws images with a GAN that was trained here, or is being trained now."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from PIL import Image

from engine import checkpoints, device, files, metadata
from engine.errors import FileError, ModelError
from engine.grid import image_grid
from engine.runs import RunFolder
from engine.task import MAX_SEED, Notice, Progress, Report, Saved, Task, param, seed_param

if TYPE_CHECKING:
    from torch import nn

    from engine.models.gan import GanConfig

WEIGHTS = {"averaged": "generator_ema", "last": "generator"}


@dataclass(frozen=True)
class SampleGan(Task):
    """A grid of images, each drawn from a seed of its own: image i is the image of seed + i."""

    title: ClassVar[str] = "Draw from a GAN"
    summary: ClassVar[str] = "Draws images with a GAN from a training run."

    run_folder: str = param(
        label="Training run",
        help="The folder of the run whose generator draws; the run may still be going on.",
        kind="folder",
        required=True,
    )
    checkpoint: int = param(
        0,
        label="Checkpoint",
        help="The step of training whose weights draw: earlier ones show what was learned when. "
        "0 takes the newest.",
        minimum=0,
        maximum=100_000_000,
        unit="step",
    )
    num_images: int = param(
        64,
        label="Images",
        help="How many images to draw; each has a seed of its own, counted up from the first.",
        minimum=1,
        maximum=4096,
    )
    columns: int = param(
        0,
        label="Columns",
        help="Images in a row of the grid. 0 makes the grid nearly square.",
        minimum=0,
        maximum=4096,
    )
    seed: int = seed_param()
    weights: str = param(
        "averaged",
        label="Weights",
        help="averaged draws with the mean over the last steps, which is cleaner; last with "
        "exactly the weights of the checkpoint's step.",
        choices=tuple(WEIGHTS),
        advanced=True,
    )
    save_images: bool = param(
        False,
        label="Save single images",
        help="Write each image as a file of its own too, beside the grid.",
        advanced=True,
    )

    def run(self, report: Report, out: Path) -> None:
        files.make_folder(out)
        device.configure_threads()
        report(Progress(0, self.num_images, "loading the generator"))
        run = RunFolder(Path(self.run_folder).expanduser())
        config = _config(run)
        step, generator = self._generator(run, config, report)
        images = np.concatenate(list(self._draw(generator, config, report)))
        stem = f"{files.timestamp()}-step-{step}-{self.seed}"
        told = dataclasses.replace(self, checkpoint=step)
        _write(files.new_path(out, stem, ".png"), image_grid(images, self.columns), told, report)
        if self.save_images:
            for alone, pixels in zip(told.alone(), images, strict=True):
                path = files.new_path(out, f"{stem}-{alone.seed}", ".png")
                _write(path, image_grid(pixels[np.newaxis], gap=0), alone, report)

    def alone(self) -> Iterator[SampleGan]:
        """The tasks that draw each of these images by itself."""
        for index in range(self.num_images):
            seed = (self.seed + index) % (MAX_SEED + 1)
            yield dataclasses.replace(self, seed=seed, num_images=1, save_images=False)

    def _draw(
        self, generator: nn.Module, config: GanConfig, report: Report
    ) -> Iterator[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
        """Image by image: in a batch the last bits would depend on the other images."""
        import torch

        from engine.models.gan import to_pixels

        for index, alone in enumerate(self.alone()):
            report(Progress(index, self.num_images, "drawing"))
            chance = torch.Generator().manual_seed(alone.seed)
            noise = torch.randn(1, config.latent_dim, generator=chance)
            with torch.inference_mode():
                yield to_pixels(generator(noise))
        report(Progress(self.num_images, self.num_images, "drawing"))

    def _generator(
        self, run: RunFolder, config: GanConfig, report: Report
    ) -> tuple[int, nn.Module]:
        """The newest generator that is whole, or the one that was asked for, and its step."""
        if self.checkpoint:
            _check_exists(run, self.checkpoint)
            path = run.checkpoint_path(self.checkpoint)
            return self.checkpoint, _load(path, WEIGHTS[self.weights], config)
        for step, path in reversed(run.checkpoints()):
            try:
                return step, _load(path, WEIGHTS[self.weights], config)
            except FileError as error:
                report(Notice(f"{error.message} Trying the checkpoint before it."))
        raise ModelError(
            f"{run.path} has no complete checkpoint.",
            "Train it longer, or save a checkpoint now from the training monitor.",
        )


def _config(run: RunFolder) -> GanConfig:
    from engine.models.gan import GanConfig

    description = run.description()
    if description.get("task") != "train_gan":
        raise ModelError(
            f"{run.path} holds a run of {description.get('task')}, not of a GAN.",
            "Choose the folder of a run of train_gan.",
        )
    try:
        return GanConfig(**description["model"])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"{run.path / 'run.json'} does not describe a GAN: {error}.",
            "The file may be damaged, or from another version; choose another run.",
        ) from error


def _check_exists(run: RunFolder, step: int) -> None:
    steps = [str(number) for number, _ in run.checkpoints()]
    if str(step) not in steps:
        raise ModelError(
            f"{run.path} has no complete checkpoint of step {step}.",
            f"Choose one of {', '.join(steps)}." if steps else "Train it longer.",
        )


def _load(path: Path, name: str, config: GanConfig) -> nn.Module:
    from engine.models import gan

    generator = gan.build(config).generator.eval()
    weights = checkpoints.load_tensors(path, name)
    try:
        generator.load_state_dict(weights)
    except RuntimeError as error:
        raise ModelError(
            f"The weights in {path} do not fit the model that run.json describes.",
            "One of the two was changed; choose another run.",
        ) from error
    return generator


def _write(path: Path, image: Image.Image, task: Task, report: Report) -> None:
    metadata.write_png(path, image, task)
    report(Saved(path))
