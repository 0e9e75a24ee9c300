"""What all learners on images share: batches, precision, checkpoints, what run.json says."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine import device, distributed
from engine.checkpoints import State
from engine.data.batches import Batches
from engine.data.held_out import MOST, split
from engine.data.image_dataset import ImageDataset
from engine.image_training import ImageTraining
from engine.quality.live import Cadence, LiveQuality
from engine.quality.reference import Reference

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

DRAWN_AT_ONCE = 250  # images, to measure their quality


class ImageLearner:
    """A Learner whose samples are all in memory.

    Subclasses set `config`, a dataclass that describes their networks, and say which `parts` a
    checkpoint holds.
    """

    config: Any

    def __init__(
        self, task: ImageTraining, data: ImageDataset, held_out: float = 0.0, most: int = MOST
    ) -> None:
        import torch

        self.task = task
        self.data = data
        self.device = device.best_device()
        self.precision = chosen_precision(task.precision, self.device)
        self.learned, self.held_out = split(len(data), held_out, most)
        self.batches = Batches(len(self.learned), task.batch_size, task.seed)
        self.images = torch.from_numpy(data.images)
        self.live_quality: LiveQuality | None = None

    def measure_quality(self, every: int) -> None:
        """Let `quality` measure about `every` steps; raises DatasetError for too few images."""
        if every:
            cadence = Cadence(every, self.task.log_every, self.task.max_steps)
            reference = Reference(self.data.images, self.learned, self.held_out)
            self.live_quality = LiveQuality(self.data.name, reference, cadence)

    def description(self) -> Mapping[str, Any]:
        held_out = {"held_out": len(self.held_out)} if len(self.held_out) else {}
        quality = {"quality": self.live_quality.description()} if self.live_quality else {}
        return {
            "dataset": {
                "name": self.data.name,
                "images": len(self.data),
                "sha256": self.data.sha256(),
                **held_out,
            },
            "model": asdict(self.config),
            "device": str(self.device),
            "precision": self.precision,
            "parameters": {name: _count(network) for name, network in self.networks().items()},
            **quality,
        }

    @abstractmethod
    def networks(self) -> Mapping[str, nn.Module]:
        """The networks that learn, by name."""

    @abstractmethod
    def parts(self) -> Mapping[str, Any]:
        """Everything with a `state_dict` that a checkpoint holds; a file for each."""

    @abstractmethod
    def step(self, step: int) -> Mapping[str, float]:
        """See `Learner.step`."""

    @abstractmethod
    def sample(self) -> Image.Image:
        """See `Learner.sample`."""

    # ------------------------------------------------------------------ for the steps

    def chosen(self, step: int) -> NDArray[np.int64]:
        """The indices (share of the batch,) into the dataset that `step` learns from."""
        return self.learned[distributed.share(self.batches.indices(step))]

    def pixels(self, chosen: NDArray[np.int64]) -> Tensor:
        """These images of the dataset, (N, C, H, W) in [-1, 1]."""
        import torch

        from engine.models.gan import from_pixels

        return from_pixels(self.images[torch.from_numpy(chosen)].to(self.device))

    def autocast(self) -> torch.autocast:
        import torch

        enabled = self.precision == "bfloat16"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=enabled)

    def validates(self, step: int, every: int) -> bool:
        """Whether val_loss is measured: about `every` steps, where the loop logs what it gets."""
        if not len(self.held_out):
            return False
        task = self.task
        every = -(-every // task.log_every) * task.log_every
        return step % every == 0 or step in (1, task.max_steps)

    def quality(self, step: int) -> dict[str, float]:
        """kid, precision and recall of what `draw` draws after `step`; empty where none are due."""
        if self.live_quality is None or not self.live_quality.due(step):
            return {}
        return self.live_quality.measure(self.draw)

    def draw(self, count: int, chance: torch.Generator) -> NDArray[np.uint8]:
        """`count` images (N, H, W, C) of the averaged weights, from noise of `chance` alone."""
        raise NotImplementedError

    # ------------------------------------------------------------------ checkpoints

    def state(self) -> State:
        return {name: part.state_dict() for name, part in self.parts().items()}

    def load_state(self, state: State) -> None:
        for name, part in self.parts().items():
            part.load_state_dict(state[name])


def update(network: nn.Module, optimizer: Any, loss: Tensor, grad_clip: float = 0.0) -> Tensor:
    """One optimizer step down `loss`; returns the norm of the gradient before it was clipped.

    A gradient longer than `grad_clip` is cut to that norm; 0 leaves all as they are.
    """
    from torch.nn.utils import clip_grad_norm_, get_total_norm

    optimizer.zero_grad()
    loss.backward()
    distributed.average_gradients(network.parameters())
    if grad_clip:
        norm = clip_grad_norm_(network.parameters(), grad_clip)
    else:
        norm = get_total_norm([p.grad for p in network.parameters() if p.grad is not None])
    optimizer.step()
    return norm


def set_learning_rate(optimizer: Any, learning_rate: float) -> None:
    """From the next update on."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate


def chosen_precision(asked: str, where: torch.device) -> str:
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
