"""The generator of a run as it is now, kept loaded while somebody walks through its pictures."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import checkpoints, device
from engine.errors import FileError, ModelError
from engine.runs import MANIFEST, RunFolder

if TYPE_CHECKING:
    import torch
    from torch import nn

    from engine.models.gan import GanConfig

WEIGHTS = "generator_ema"


@dataclass(frozen=True)
class LiveGenerator:
    """The averaged generator at a step of the training."""

    step: int
    latent_dim: int
    network: nn.Module
    directions: torch.Tensor
    """Unit vectors (latent_dim, latent_dim) in which noise can be moved; the first changes the
    picture most."""


def load(folder: Path, step: int) -> LiveGenerator:
    """The generator of `step`, or of the newest checkpoint that is whole for 0; raises EngineError.

    The last one is kept in memory, for as long as its checkpoint stays as it is. Apart from the
    other models, because it is small and comes again with every checkpoint of a live training.
    """
    run = RunFolder(folder)
    config = _config(run)
    wanted = [(found, path) for found, path in reversed(run.checkpoints()) if step in (0, found)]
    problem: FileError | None = None
    for found, path in wanted:
        try:
            return _loaded(found, path, _written(path), config)
        except FileError as error:  # damaged, or removed by the training just now
            problem = error
    if problem:
        raise problem
    raise ModelError(
        f"{folder} has no complete checkpoint{f' of step {step}' if step else ''}.",
        "Train it longer, or save a checkpoint now from the training monitor.",
    )


def _written(path: Path) -> int:
    """When the checkpoint was written: one of the same name may take its place."""
    try:
        return (path / MANIFEST).stat().st_mtime_ns
    except OSError as error:
        raise FileError(f"{path} is not a complete checkpoint.", "Use another one.") from error


@lru_cache(maxsize=1)
def _loaded(step: int, path: Path, written: int, config: GanConfig) -> LiveGenerator:
    from engine.models import gan

    device.configure_threads()
    generator = gan.build(config).generator.eval().requires_grad_(False)
    try:
        generator.load_state_dict(checkpoints.load_tensors(path, WEIGHTS))
    except RuntimeError as error:
        raise ModelError(
            f"The weights in {path} do not fit the model that run.json describes.",
            "One of the two was changed; choose another run.",
        ) from error
    return LiveGenerator(step, config.latent_dim, generator, _directions(generator))


def _directions(generator: nn.Module) -> torch.Tensor:
    """What the first layer makes most of (Shen & Zhou 2021, 2007.06600).

    The right singular vectors of its weights: no training, no labels, and no randomness but the
    sign, which is chosen so that the largest part is positive.
    """
    import torch

    weights = next(weight for weight in generator.parameters() if weight.ndim == 2)
    # Of the small side: the first layer may have thousands of outputs for a hundred inputs.
    values, vectors = torch.linalg.eigh((weights.T @ weights).double())
    found = vectors.T[values.argsort(descending=True)]
    largest = found.gather(1, found.abs().argmax(1, keepdim=True))
    return (found * largest.sign()).float()


def _config(run: RunFolder) -> GanConfig:
    from engine.models.gan import GanConfig

    description: dict[str, Any] = run.description()
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
