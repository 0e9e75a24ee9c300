"""The steps of a diffusion model: what `train_diffusion` brings to the training loop."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine import distributed
from engine.data.image_dataset import ImageDataset
from engine.grid import image_grid
from engine.trainers.image_learner import ImageLearner, set_learning_rate, update

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from engine.trainers.train_diffusion import TrainDiffusion

COLUMNS, ROWS = 10, 5  # of the sample grid; with classes, each column is of one
VALIDATED = 64  # held-out images at a time


class DiffusionLearner(ImageLearner):
    """The UNet, its optimizer, and the average that draws."""

    task: TrainDiffusion

    def __init__(self, task: TrainDiffusion, data: ImageDataset, classes: tuple[str, ...]) -> None:
        import torch

        from engine.models.pixel_unet import PixelUnet, PixelUnetConfig
        from engine.trainers.train_diffusion import WIDTHS

        super().__init__(task, data, task.held_out)
        self.measure_quality(task.evaluate_every)
        width = WIDTHS[task.model]
        self.config = PixelUnetConfig(
            data.image_size, data.channels, width, classes, task.objective
        )
        self.unet = PixelUnet(self.config).to(self.device)
        self.average = copy.deepcopy(self.unet).eval().requires_grad_(False)
        self.optimizer = torch.optim.Adam(
            self.unet.parameters(), task.learning_rate, (0.9, 0.99), fused=True
        )
        own = torch.Generator().manual_seed(task.seed)
        self.fixed_noise = torch.randn(COLUMNS * ROWS, *self.config.shape, generator=own)
        self.validated = self.held_out[:VALIDATED]
        self.validation_noise = torch.randn(len(self.validated), *self.config.shape, generator=own)

    def description(self) -> Mapping[str, Any]:
        said = dict(super().description())
        if self.config.num_classes:
            labels = {"labels_sha256": self.data.labels_sha256()}
            said["dataset"] = {**said["dataset"], **labels}
        return said

    def networks(self) -> Mapping[str, nn.Module]:
        return {"unet": self.unet}

    def change(self, task: TrainDiffusion) -> None:
        """See `engine.learner.Changeable`."""
        self.task = task

    def step(self, step: int) -> Mapping[str, float]:
        import torch

        from engine.models.gan import update_average
        from engine.models.pixel_diffusion import drawn_times, loss

        task, count = self.task, self.task.batch_size
        set_learning_rate(
            self.optimizer, task.learning_rate * min(1.0, step / max(1, task.warmup_steps))
        )
        times = self._share(drawn_times(torch.rand(count), task.objective))
        noise = self._share(torch.randn(count, *self.config.shape))
        dropped = self._share(torch.rand(count) < task.class_dropout)
        chosen = self.chosen(step)
        with self.autocast():
            found = loss(
                self.unet, self.pixels(chosen), noise, times, self._classes(chosen, dropped)
            )
        norm = update(self.unet, self.optimizer, found, task.grad_clip)
        # A young average would drag the untrained first steps along: let it grow old with the run.
        update_average(self.average, self.unet, min(task.ema_decay, step / (step + 10)))
        measured = {"loss": found.item(), "gradient_norm": norm.item()}
        if self.validates(step, task.validate_every):
            measured["val_loss"] = self._validation_loss()
        return {**measured, **self.quality(step)}

    def _share(self, rows: Tensor) -> Tensor:
        return distributed.share(rows).to(self.device)

    def _classes(self, chosen: NDArray[np.int64], dropped: Tensor | None = None) -> Tensor | None:
        """The classes (N,) of these images, those that are dropped being the empty one."""
        import torch

        if not self.config.num_classes or self.data.labels is None:
            return None
        classes = torch.from_numpy(self.data.labels[chosen]).to(self.device)
        return classes if dropped is None else classes.masked_fill(dropped, self.config.num_classes)

    def _validation_loss(self) -> float:
        """With the same noise each time, at times spread evenly, so that the curve is smooth."""
        import torch

        from engine.models.pixel_diffusion import drawn_times, loss

        count = len(self.validated)
        times = drawn_times((torch.arange(count) + 0.5) / count, self.task.objective)
        with torch.no_grad(), self.autocast():
            found = loss(
                self.unet,
                self.pixels(self.validated),
                self.validation_noise.to(self.device),
                times.to(self.device),
                self._classes(self.validated),
            )
        return float(found)

    def sample(self) -> Image.Image:
        """Drawn from the fixed noise; with classes, a column for each of the first ten."""
        import torch

        classes, columns = None, COLUMNS
        if self.config.num_classes:
            columns = min(COLUMNS, self.config.num_classes)
            classes = (torch.arange(columns * ROWS) % columns).to(self.device)
        return image_grid(self._drawn(self.fixed_noise[: columns * ROWS], classes), columns)

    def draw(self, count: int, chance: torch.Generator) -> NDArray[np.uint8]:
        """See `ImageLearner.draw`; as the sample grid is, each class as often as any other."""
        import torch

        noise = torch.randn(count, *self.config.shape, generator=chance).split(VALIDATED)
        kinds = self.config.num_classes
        classes = (torch.arange(count) % max(kinds, 1)).to(self.device).split(VALIDATED)
        parts = zip(noise, classes, strict=True)
        return np.concatenate([self._drawn(n, c if kinds else None) for n, c in parts])

    def _drawn(self, noise: Tensor, classes: Tensor | None) -> NDArray[np.uint8]:
        import torch

        from engine.models.gan import to_pixels
        from engine.models.pixel_diffusion import draw

        steps, guidance = self.task.sample_steps, self.task.sample_guidance
        with torch.inference_mode(), self.autocast():
            return to_pixels(draw(self.average, noise.to(self.device), classes, steps, guidance))

    def parts(self) -> Mapping[str, Any]:
        return {"unet": self.unet, "unet_ema": self.average, "optimizer": self.optimizer}
