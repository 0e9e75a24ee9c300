"""The steps of a GAN: what `train_gan` brings to the training loop."""

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
from engine.quality.reference import SAMPLES as MEASURED
from engine.quality.reference import worth_holding_out
from engine.trainers.image_learner import DRAWN_AT_ONCE, ImageLearner, set_learning_rate, update

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from engine.trainers.train_gan import TrainGan

SAMPLES = 64  # images in a grid


class GanLearner(ImageLearner):
    """Generator, discriminator, their optimizers, and the averaged generator that draws."""

    task: TrainGan
    step_parts = ("generator", "discriminator")

    def __init__(self, task: TrainGan, data: ImageDataset) -> None:
        import torch

        from engine.models import gan
        from engine.models.gan_losses import LOSSES

        held_out = worth_holding_out(len(data), task.held_out)
        super().__init__(task, data, held_out, MEASURED)
        self.measure_quality(task.evaluate_every)
        self.config = gan.GanConfig(
            task.model,
            data.image_size,
            data.channels,
            task.latent_dim,
            task.width or gan.default_width(data.image_size),
            spectral_norm=LOSSES[task.loss].penalty is None,
        )
        self.loss = LOSSES[task.loss]
        self.augments = task.augments(len(data))
        networks = gan.build(self.config)
        self.generator = networks.generator.to(self.device)
        self.discriminator = networks.discriminator.to(self.device)
        self.average = copy.deepcopy(self.generator).eval().requires_grad_(False)
        self.generator_optimizer = self._adam(self.generator, task.generator_learning_rate)
        self.discriminator_optimizer = self._adam(
            self.discriminator, task.discriminator_learning_rate
        )
        own = torch.Generator().manual_seed(task.seed)
        self.fixed_noise = torch.randn(SAMPLES, task.latent_dim, generator=own).to(self.device)

    def _adam(self, network: nn.Module, learning_rate: float) -> Any:
        import torch

        betas = (self.task.beta1, self.task.beta2)
        return torch.optim.Adam(network.parameters(), learning_rate, betas, fused=True)

    def description(self) -> Mapping[str, Any]:
        return {**super().description(), "augmented": self.augments}

    def networks(self) -> Mapping[str, nn.Module]:
        return {"generator": self.generator, "discriminator": self.discriminator}

    def step(self, step: int) -> Mapping[str, float]:
        """The discriminator's update, then the generator's with the same fakes, as in DCGAN."""
        reals, fakes = self.pixels(self.chosen(step)), self._fakes()
        measured = self._discriminator_step(step, reals, fakes.detach())
        measured |= self._generator_step(reals, fakes)
        self._follow_with_average(step)
        told = {name: value.item() for name, value in measured.items()}
        return {**told, **self.quality(step)}

    def step_part(self, step: int, part: str) -> Mapping[str, float]:
        """The update of one of them while the other stands still."""
        reals, fakes = self.pixels(self.chosen(step)), self._fakes()
        if part == "discriminator":
            measured = self._discriminator_step(step, reals, fakes.detach())
        else:
            measured = self._generator_step(reals, fakes)
            self._follow_with_average(step)
        return {name: value.item() for name, value in measured.items()}

    def _fakes(self) -> Tensor:
        """Images (share of the batch, C, H, W) from fresh noise, with their way back to it."""
        import torch

        noise = distributed.share(torch.randn(self.task.batch_size, self.task.latent_dim))
        with self.autocast():
            return self.generator(noise.to(self.device)).float()

    def _follow_with_average(self, step: int) -> None:
        from engine.models.gan import update_average

        # A young average would drag the untrained first steps along: let it grow old with the run.
        update_average(self.average, self.generator, min(self.task.ema_decay, step / (step + 10)))

    def _discriminator_step(self, step: int, reals: Tensor, fakes: Tensor) -> dict[str, Tensor]:
        """d_real and d_fake: the mean sigmoid of the logits, whatever the loss."""
        import torch

        reals, fakes = self._shown(reals), self._shown(fakes)
        # One pass for both: faster, and nothing in a discriminator mixes samples.
        real, fake = self._logits(torch.cat((reals, fakes))).chunk(2)
        loss = self.loss.discriminator(real, fake)
        penalty, weight = self._penalty(step, reals, fakes)
        whole = loss if penalty is None else loss + weight * penalty
        norm = update(self.discriminator, self.discriminator_optimizer, whole)
        measured = {
            "discriminator_loss": loss,
            "d_real": real.sigmoid().mean(),
            "d_fake": fake.sigmoid().mean(),
            "discriminator_gradient_norm": norm,
        }
        return measured if penalty is None else {**measured, "gradient_penalty": penalty}

    def _penalty(self, step: int, reals: Tensor, fakes: Tensor) -> tuple[Tensor | None, float]:
        """The penalty and its weight; None in steps without. In float32: it is derived twice."""
        import torch

        weight = self.loss.penalty_weight(step, self.task.gamma)
        if not weight or self.loss.penalty is None:
            return None, 0.0
        chance = distributed.share(torch.rand(self.task.batch_size)).to(self.device)
        return self.loss.penalty(self.discriminator, reals, fakes, chance), weight

    def _generator_step(self, reals: Tensor, fakes: Tensor) -> dict[str, Tensor]:
        self.discriminator.requires_grad_(False)  # its gradients are not needed here
        fake = self._logits(self._shown(fakes))
        real = self._logits(self._shown(reals)) if self.loss.compares else fake
        loss = self.loss.generator(fake, real)
        norm = update(self.generator, self.generator_optimizer, loss)
        self.discriminator.requires_grad_(True)
        return {"generator_loss": loss, "generator_gradient_norm": norm}

    def _shown(self, images: Tensor) -> Tensor:
        """The images as the discriminator sees them, changed at random where there are few."""
        if not self.augments:
            return images
        import torch

        from engine.models.diff_augment import NUMBERS, augmented

        chance = distributed.share(torch.rand(self.task.batch_size, NUMBERS))
        return augmented(images, chance.to(self.device))

    def _logits(self, images: Tensor) -> Tensor:
        with self.autocast():
            return self.discriminator(images).float()

    def sample(self) -> Image.Image:
        import torch

        from engine.models.gan import to_pixels

        with torch.inference_mode():
            return image_grid(to_pixels(self.average(self.fixed_noise)))

    def draw(self, count: int, chance: torch.Generator) -> NDArray[np.uint8]:
        """See `ImageLearner.draw`."""
        import torch

        from engine.models.gan import to_pixels

        noise = torch.randn(count, self.task.latent_dim, generator=chance).to(self.device)
        with torch.inference_mode():
            return np.concatenate(
                [to_pixels(self.average(part)) for part in noise.split(DRAWN_AT_ONCE)]
            )

    def spread(self) -> tuple[float, float]:
        """See `engine.learner.Spreading`; pictures differ by the distance of their pixels."""
        import torch

        from engine.models.spread import mean_distance

        chosen = np.linspace(0, len(self.learned) - 1, min(SAMPLES, len(self.learned))).astype(int)
        with torch.inference_mode():
            drawn = mean_distance(self.average(self.fixed_noise))
            return drawn, mean_distance(self.pixels(self.learned[chosen]))

    def change(self, task: TrainGan) -> None:
        """See `engine.learner.Changeable`."""
        self.task = task
        set_learning_rate(self.generator_optimizer, task.generator_learning_rate)
        set_learning_rate(self.discriminator_optimizer, task.discriminator_learning_rate)

    def parts(self) -> Mapping[str, Any]:
        return {
            "generator": self.generator,
            "generator_ema": self.average,
            "discriminator": self.discriminator,
            "generator_optimizer": self.generator_optimizer,
            "discriminator_optimizer": self.discriminator_optimizer,
        }
