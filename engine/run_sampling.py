"""What tasks that draw from a training run share: which checkpoint, which images, how written."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine import checkpoints, device, files, metadata
from engine.errors import FileError, ModelError
from engine.events import Event, Notice, Preview, Progress, Report, Saved
from engine.grid import image_grid
from engine.runs import RunFolder
from engine.task import MAX_SEED, Task, param, seed_param

if TYPE_CHECKING:
    from torch import nn

AVERAGED, LAST = "averaged", "last"


@dataclass(frozen=True)
class RunSampling(Task):
    """A grid of images, each drawn from a seed of its own: image i is the image of seed + i."""

    trainer: ClassVar[str]
    """The name of the task whose runs it draws from."""
    kind: ClassVar[str]
    """What those runs hold, in words: "a GAN"."""
    networks: ClassVar[Mapping[str, str]]
    """The file of a checkpoint with the averaged weights, and with the last ones."""

    run_folder: str = param(
        label="Training run",
        help="The folder of the run whose network draws; the run may still be going on.",
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
        zero="newest",
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
        AVERAGED,
        label="Weights",
        help="averaged draws with the mean over the last steps, which is cleaner; last with "
        "exactly the weights of the checkpoint's step.",
        choices=(AVERAGED, LAST),
        advanced=True,
    )
    save_images: bool = param(
        False,
        label="Save single images",
        help="Write each image as a file of its own too, beside the grid.",
        advanced=True,
    )

    @abstractmethod
    def config(self, model: Any) -> Any:
        """The Config that run.json has under "model"; raises KeyError, TypeError, ValueError."""

    @abstractmethod
    def build(self, config: Any) -> nn.Module:
        """The network that draws, with any weights."""

    @abstractmethod
    def draw(self, network: Any, config: Any, report: Report) -> NDArray[np.uint8]:
        """The one image (1, H, W, C) of this task's seed, the same alone as among others."""

    def check(self, config: Any) -> None:
        """Raises InvalidTask for what the run's network cannot draw."""

    def run(self, report: Report, out: Path) -> None:
        files.make_folder(out)
        device.configure_threads()
        report(Progress(0, self.num_images, "loading the network"))
        run = RunFolder(Path(self.run_folder).expanduser())
        config = self._config(run)
        self.check(config)
        step, network = self._network(run, config, report)
        told = dataclasses.replace(self, checkpoint=step)
        images = np.concatenate(list(told._images(network, config, report)))
        stem = f"{files.timestamp()}-step-{step}-{self.seed}"
        _write(files.new_path(out, stem, ".png"), image_grid(images, self.columns), told, report)
        if self.save_images:
            for alone, pixels in zip(told.alone(), images, strict=True):
                path = files.new_path(out, f"{stem}-{alone.seed}", ".png")
                _write(path, image_grid(pixels[np.newaxis], gap=0), alone, report)

    def alone(self) -> Iterator[RunSampling]:
        """The tasks that draw each of these images by itself."""
        for index in range(self.num_images):
            seed = (self.seed + index) % (MAX_SEED + 1)
            yield dataclasses.replace(self, seed=seed, num_images=1, save_images=False)

    def _images(
        self, network: nn.Module, config: Any, report: Report
    ) -> Iterator[NDArray[np.uint8]]:
        """Image by image: in a batch the last bits would depend on the other images."""
        import torch

        for index, alone in enumerate(self.alone()):
            report(Progress(index, self.num_images, "drawing"))
            with torch.inference_mode():
                yield alone.draw(network, config, _at_place(report, index))
        report(Progress(self.num_images, self.num_images, "drawing"))

    def _config(self, run: RunFolder) -> Any:
        description = run.description()
        if description.get("task") != self.trainer:
            raise ModelError(
                f"{run.path} holds a run of {description.get('task')}, not of {self.kind}.",
                f"Choose the folder of a run of {self.trainer}.",
            )
        try:
            return self.config(description["model"])
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"{run.path / 'run.json'} does not describe {self.kind}: {error}.",
                "The file may be damaged, or from another version; choose another run.",
            ) from error

    def _network(self, run: RunFolder, config: Any, report: Report) -> tuple[int, nn.Module]:
        """The newest network that is whole, or the one that was asked for, and its step."""
        if self.checkpoint:
            _check_exists(run, self.checkpoint)
            path = run.checkpoint_path(self.checkpoint)
            return self.checkpoint, self._load(path, config)
        for step, path in reversed(run.checkpoints()):
            try:
                return step, self._load(path, config)
            except FileError as error:
                report(Notice(f"{error.message} Trying the checkpoint before it."))
        raise ModelError(
            f"{run.path} has no complete checkpoint.",
            "Train it longer, or save a checkpoint now from the training monitor.",
        )

    def _load(self, path: Path, config: Any) -> nn.Module:
        network = self.build(config).eval()
        weights = checkpoints.load_tensors(path, self.networks[self.weights])
        try:
            network.load_state_dict(weights)
        except RuntimeError as error:
            raise ModelError(
                f"The weights in {path} do not fit the model that run.json describes.",
                "One of the two was changed; choose another run.",
            ) from error
        return network


def noise(seed: int, *shape: int) -> Any:
    """Normal noise (1, *shape) of this seed alone."""
    import torch

    return torch.randn(1, *shape, generator=torch.Generator().manual_seed(seed))


def _at_place(report: Report, index: int) -> Report:
    """`report`, with its previews at the image's place among the others."""

    def tell(event: Event) -> None:
        report(dataclasses.replace(event, index=index) if isinstance(event, Preview) else event)

    return tell


def _check_exists(run: RunFolder, step: int) -> None:
    steps = [str(number) for number, _ in run.checkpoints()]
    if str(step) not in steps:
        raise ModelError(
            f"{run.path} has no complete checkpoint of step {step}.",
            f"Choose one of {', '.join(steps)}." if steps else "Train it longer.",
        )


def _write(path: Path, image: Image.Image, task: Task, report: Report) -> None:
    metadata.write_png(path, image, task)
    report(Saved(path))
