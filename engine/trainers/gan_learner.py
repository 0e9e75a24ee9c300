"""The steps of a GAN: what `train_gan` brings to the training loop."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from PIL import Image

from engine import device, distributed
from engine.checkpoints import State
from engine.data.batches import Batches
from engine.data.image_dataset import ImageDataset
from engine.grid import image_grid

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from engine.trainers.train_gan import TrainGan

SAMPLES = 64  # images in a grid


class GanLearner:
    """Generator, discriminator, their optimizers, and the averaged generator that draws."""

    def __init__(self, task: TrainGan, data: ImageDataset) -> None:
        import torch

        from engine.models import gan

        self.task = task
        self.data = data
        self.device = device.best_device()
        self.config = gan.GanConfig(
            task.model,
            data.image_size,
            data.channels,
            task.latent_dim,
            task.width or gan.default_width(data.image_size),
        )
        self.loss = gan.LOSSES[task.loss]
        self.precision = _precision(task.precision, self.device)
        networks = gan.build(self.config)
        self.generator = networks.generator.to(self.device)
        self.discriminator = networks.discriminator.to(self.device)
        self.average = copy.deepcopy(self.generator).eval().requires_grad_(False)
        self.generator_optimizer = self._adam(self.generator, task.generator_learning_rate)
        self.discriminator_optimizer = self._adam(
            self.discriminator, task.discriminator_learning_rate
        )
        self.batches = Batches(len(data), task.batch_size, task.seed)
        self.images = torch.from_numpy(data.images)
        own = torch.Generator().manual_seed(task.seed)
        self.fixed_noise = torch.randn(SAMPLES, task.latent_dim, generator=own).to(self.device)

    def _adam(self, network: nn.Module, learning_rate: float) -> Any:
        import torch

        betas = (self.task.beta1, self.task.beta2)
        return torch.optim.Adam(network.parameters(), learning_rate, betas, fused=True)

    def description(self) -> Mapping[str, Any]:
        networks = {"generator": self.generator, "discriminator": self.discriminator}
        return {
            "dataset": {
                "name": self.data.name,
                "images": len(self.data),
                "sha256": self.data.sha256(),
            },
            "model": asdict(self.config),
            "device": str(self.device),
            "precision": self.precision,
            "parameters": {name: _count(network) for name, network in networks.items()},
        }

    def step(self, step: int) -> Mapping[str, float]:
        """The discriminator's update, then the generator's with the same fakes, as in DCGAN."""
        import torch

        from engine.models.gan import update_average

        noise = distributed.share(torch.randn(self.task.batch_size, self.task.latent_dim))
        with self._autocast():
            fakes = self.generator(noise.to(self.device)).float()
        measured = self._discriminator_step(self._reals(step), fakes.detach())
        measured |= self._generator_step(fakes)
        # A young average would drag the untrained first steps along: let it grow old with the run.
        update_average(self.average, self.generator, min(self.task.ema_decay, step / (step + 10)))
        return {name: value.item() for name, value in measured.items()}

    def _reals(self, step: int) -> Tensor:
        import torch

        from engine.models.gan import from_pixels

        chosen = torch.from_numpy(distributed.share(self.batches.indices(step)))
        return from_pixels(self.images[chosen].to(self.device))

    def _discriminator_step(self, reals: Tensor, fakes: Tensor) -> dict[str, Tensor]:
        """d_real and d_fake: the mean sigmoid of the logits, whatever the loss."""
        import torch

        # One pass for both: faster, and nothing in a discriminator mixes samples.
        real, fake = self._logits(torch.cat((reals, fakes))).chunk(2)
        loss = self.loss.discriminator(real, fake)
        norm = _update(self.discriminator, self.discriminator_optimizer, loss)
        return {
            "discriminator_loss": loss,
            "d_real": real.sigmoid().mean(),
            "d_fake": fake.sigmoid().mean(),
            "discriminator_gradient_norm": norm,
        }

    def _generator_step(self, fakes: Tensor) -> dict[str, Tensor]:
        self.discriminator.requires_grad_(False)  # its gradients are not needed here
        loss = self.loss.generator(self._logits(fakes))
        norm = _update(self.generator, self.generator_optimizer, loss)
        self.discriminator.requires_grad_(True)
        return {"generator_loss": loss, "generator_gradient_norm": norm}

    def _logits(self, images: Tensor) -> Tensor:
        with self._autocast():
            return self.discriminator(images).float()

    def _autocast(self) -> torch.autocast:
        import torch

        enabled = self.precision == "bfloat16"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=enabled)

    def sample(self) -> Image.Image:
        import torch

        from engine.models.gan import to_pixels

        with torch.inference_mode():
            return image_grid(to_pixels(self.average(self.fixed_noise)))

    def state(self) -> State:
        return {name: part.state_dict() for name, part in self._parts().items()}

    def load_state(self, state: State) -> None:
        for name, part in self._parts().items():
            part.load_state_dict(state[name])

    def _parts(self) -> dict[str, Any]:
        return {
            "generator": self.generator,
            "generator_ema": self.average,
            "discriminator": self.discriminator,
            "generator_optimizer": self.generator_optimizer,
            "discriminator_optimizer": self.discriminator_optimizer,
        }


def _update(network: nn.Module, optimizer: Any, loss: Tensor) -> Tensor:
    """One optimizer step down `loss`; returns the norm of the gradient."""
    from torch.nn.utils import get_total_norm

    optimizer.zero_grad()
    loss.backward()
    distributed.average_gradients(network.parameters())
    norm = get_total_norm([p.grad for p in network.parameters() if p.grad is not None])
    optimizer.step()
    return norm


def _precision(asked: str, where: torch.device) -> str:
    """What "auto" means here: bfloat16 for the convolutions where the device is made for it."""
    if asked != "auto":
        return asked
    import torch

    native = (
        device.has_native_bfloat16()
        if where.type == "cpu"
        else (device.best_dtype(where) == torch.bfloat16)
    )
    return "bfloat16" if native else "float32"


def _count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
