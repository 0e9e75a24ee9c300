"""The steps of a VAE: what `train_vae` brings to the training loop."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine import distributed
from engine.data.image_dataset import ImageDataset
from engine.grid import image_grid, stacked
from engine.trainers.image_learner import DRAWN_AT_ONCE, ImageLearner, set_learning_rate, update

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from engine.trainers.train_vae import TrainVae

COLUMNS = 10  # images in a row of the sample grid
SAMPLE_ROWS = 6


class VaeLearner(ImageLearner):
    """The VAE, its optimizer, and the average that draws."""

    task: TrainVae

    def __init__(self, task: TrainVae, data: ImageDataset) -> None:
        import torch

        from engine.models import vae
        from engine.trainers.train_vae import WIDTHS

        super().__init__(task, data, task.held_out)
        self.measure_quality(task.evaluate_every)
        width = WIDTHS[task.model]
        self.config = vae.VaeConfig(data.image_size, data.channels, task.latent_dim, width)
        self.vae = vae.Vae(self.config).to(self.device)
        self.average = copy.deepcopy(self.vae).eval().requires_grad_(False)
        self.optimizer = torch.optim.Adam(self.vae.parameters(), task.learning_rate, fused=True)
        own = torch.Generator().manual_seed(task.seed)
        self.fixed_noise = self._noise(COLUMNS * SAMPLE_ROWS, own)
        self.validation_noise = self._noise(len(self.held_out), own)
        source = self.held_out if len(self.held_out) >= COLUMNS else self.learned
        places = np.linspace(0, len(source) - 1, min(COLUMNS, len(source))).astype(int)
        self.shown = source[places]

    def _noise(self, count: int, chance: Any) -> Tensor:
        import torch

        return torch.randn(count, self.task.latent_dim, generator=chance).to(self.device)

    def networks(self) -> Mapping[str, nn.Module]:
        return {"vae": self.vae}

    def change(self, task: TrainVae) -> None:
        """See `engine.learner.Changeable`."""
        self.task = task
        set_learning_rate(self.optimizer, task.learning_rate)

    def step(self, step: int) -> Mapping[str, float]:
        """`loss` weighs the KL term as the warm-up does now, `val_loss` as it will in the end.

        All losses are nats for each image. The gradient, and its norm, is that of the loss for
        each pixel value, so that one learning rate suits all sizes.
        """
        import torch

        from engine.models.gan import update_average
        from engine.models.vae import beta_at

        task = self.task
        noise = distributed.share(torch.randn(task.batch_size, task.latent_dim))
        measured = self._losses(self.pixels(self.chosen(step)), noise.to(self.device))
        beta = beta_at(step, task.beta, task.beta_warmup_steps)
        loss = measured["reconstruction_loss"] + beta * measured["kl"]
        norm = update(self.vae, self.optimizer, loss / self.data.images[0].size)
        # A young average would drag the untrained first steps along: let it grow old with the run.
        update_average(self.average, self.vae, min(task.ema_decay, step / (step + 10)))
        measured |= {"loss": loss, "gradient_norm": norm}
        if self.validates(step, task.validate_every):
            measured["val_loss"] = self._validation_loss()
        told = {name: value.item() for name, value in measured.items()}
        return {**told, **self.quality(step)}

    def _losses(self, images: Tensor, noise: Tensor) -> dict[str, Tensor]:
        from engine.models.vae import kl_divergence, reconstruction_loss

        with self.autocast():
            logits, encoded = self.vae(images, noise)
        return {
            "reconstruction_loss": reconstruction_loss(logits, images),
            "kl": kl_divergence(encoded),
        }

    def _validation_loss(self) -> Tensor:
        import torch

        with torch.no_grad():
            losses = self._losses(self.pixels(self.held_out), self.validation_noise)
        return losses["reconstruction_loss"] + self.task.beta * losses["kl"]

    def draw(self, count: int, chance: torch.Generator) -> NDArray[np.uint8]:
        """See `ImageLearner.draw`."""
        import torch

        from engine.models.gan import to_pixels

        parts = self._noise(count, chance).split(DRAWN_AT_ONCE)
        with torch.inference_mode():
            return np.concatenate([to_pixels(self.average.draw(part)) for part in parts])

    def sample(self) -> Image.Image:
        """Images in the first row, what comes back of them under it; below, drawn from noise."""
        import torch

        from engine.models.gan import to_pixels
        from engine.models.vae import reconstructed

        images = self.pixels(self.shown)
        with torch.inference_mode():
            pairs = np.concatenate(
                (to_pixels(images), to_pixels(reconstructed(self.average, images)))
            )
            drawn = to_pixels(self.average.draw(self.fixed_noise))
        return stacked([image_grid(pairs, len(images)), image_grid(drawn, COLUMNS)])

    def parts(self) -> Mapping[str, Any]:
        return {"vae": self.vae, "vae_ema": self.average, "optimizer": self.optimizer}
