"""The steps of an autoencoder: what `train_autoencoder` brings to the training loop."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from engine import device, distributed
from engine.checkpoints import State
from engine.data.batches import Batches
from engine.data.captioned_images import CaptionedImages
from engine.grid import image_grid

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from engine.trainers.train_autoencoder import TrainAutoencoder

SAMPLES = 8  # pictures in a grid, each with what came back under it
WARMUP_STEPS = 100
GRADIENT_CLIP = 1.0


class AutoencoderLearner:
    """The autoencoder, its optimizer, and the average that is used in the end."""

    def __init__(self, task: TrainAutoencoder, data: CaptionedImages) -> None:
        import torch

        from engine.models import tiny_autoencoder

        self.task = task
        self.data = data
        self.device = device.best_device()
        self.config = tiny_autoencoder.AutoencoderConfig(task.latent_channels, task.width)
        self.autoencoder = tiny_autoencoder.build(self.config).to(self.device)
        self.average = copy.deepcopy(self.autoencoder).eval().requires_grad_(False)
        self.optimizer = torch.optim.AdamW(
            self.autoencoder.parameters(),
            task.learning_rate,
            betas=(0.9, 0.99),
            weight_decay=1e-4,
            fused=True,
        )
        self.batches = Batches(len(data), task.batch_size, task.seed)
        shown = np.linspace(0, len(data) - 1, min(SAMPLES, len(data))).astype(int)
        self.shown = torch.from_numpy(data.images[shown])

    def description(self) -> Mapping[str, Any]:
        return {
            "dataset": {
                "name": self.data.name,
                "images": len(self.data),
                "sha256": self.data.sha256(),
            },
            "model": asdict(self.config),
            "device": str(self.device),
            "parameters": {"autoencoder": sum(p.numel() for p in self.autoencoder.parameters())},
        }

    def step(self, step: int) -> Mapping[str, float]:
        import torch

        from engine.models import tiny_autoencoder
        from engine.models.gan import update_average

        for group in self.optimizer.param_groups:
            group["lr"] = self.task.learning_rate * self._rate(step)
        pictures = self._crops(step)
        with self._autocast():
            loss = tiny_autoencoder.loss(self.autoencoder, pictures)
        self.optimizer.zero_grad()
        loss.backward()
        distributed.average_gradients(self.autoencoder.parameters())
        norm = torch.nn.utils.clip_grad_norm_(self.autoencoder.parameters(), GRADIENT_CLIP)
        self.optimizer.step()
        update_average(self.average, self.autoencoder, min(self.task.ema_decay, step / (step + 10)))
        return {"loss": loss.item(), "gradient_norm": norm.item()}

    def change(self, task: TrainAutoencoder) -> None:
        """See `engine.learner.Changeable`: each step asks for its rate."""
        self.task = task

    def _rate(self, step: int) -> float:
        """A short warm-up, then half a cosine down to 3 %."""
        fall = 0.5 * (1 + math.cos(math.pi * step / self.task.max_steps))
        return min(1.0, step / WARMUP_STEPS) * (0.03 + 0.97 * fall)

    def _crops(self, step: int) -> Tensor:
        """Random squares (N, 3, crop, crop) of the pictures, half of the batches mirrored."""
        import torch

        from engine.models.tiny_autoencoder import to_tensor

        size = min(self.task.crop_size, self.data.images.shape[1])
        chosen = self.batches.indices(step)
        room = self.data.images.shape[1] - size + 1
        corners = distributed.share(torch.randint(room, (len(chosen), 2))).tolist()
        crops = [
            self.data.images[index, top : top + size, left : left + size]
            for index, (top, left) in zip(distributed.share(chosen), corners, strict=True)
        ]
        pictures = to_tensor(torch.from_numpy(np.stack(crops)))
        if torch.rand(()) < 0.5:
            pictures = pictures.flip(-1)
        # Convolutions are much faster with the channels last; the weights follow by themselves.
        return pictures.to(self.device, memory_format=torch.channels_last)

    def _autocast(self) -> torch.autocast:
        import torch

        native = self.device.type != "cpu" or device.has_native_bfloat16()
        enabled = {"auto": native, "bfloat16": True, "float32": False}[self.task.precision]
        return torch.autocast(self.device.type, torch.bfloat16, enabled=enabled)

    def sample(self) -> Image.Image:
        """Pictures in the first row, what came back of them in the second."""
        import torch

        from engine.models.tiny_autoencoder import to_pixels, to_tensor

        with torch.inference_mode():
            latents = self.average.encode(to_tensor(self.shown).to(self.device)).latents
            decoded = to_pixels(self.average.decode(latents).sample).cpu().numpy()
        rows = np.concatenate((self.shown.numpy(), decoded))
        return image_grid(rows, columns=len(self.shown))

    def state(self) -> State:
        return {name: part.state_dict() for name, part in self._parts().items()}

    def load_state(self, state: State) -> None:
        for name, part in self._parts().items():
            part.load_state_dict(state[name])

    def _parts(self) -> dict[str, Any]:
        return {
            "autoencoder": self.autoencoder,
            "average": self.average,
            "optimizer": self.optimizer,
        }
