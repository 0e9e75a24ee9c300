"""What a GAN or a VAE draws with as it is now, kept loaded while somebody walks through it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import checkpoints, device
from engine.errors import FileError, ModelError
from engine.runs import MANIFEST, RunFolder

if TYPE_CHECKING:
    from torch import Tensor, nn

KINDS = {"train_gan": "GAN", "train_vae": "VAE"}
"""Trainers of what can be walked through, and what that is called."""


@dataclass(frozen=True)
class LiveGenerator:
    """The averaged generator, or decoder, at a step of the training."""

    step: int
    latent_dim: int
    draw: Callable[[Tensor], Tensor]
    """Images (N, C, H, W) in [-1, 1] of latents (N, latent_dim)."""
    directions: Tensor
    """Unit vectors (latent_dim, latent_dim) in which latents can be moved; the first changes the
    picture most."""


@dataclass(frozen=True)
class _Parts:
    """A fresh network, what of it turns latents into images, and the name of its weights."""

    network: nn.Module
    drawing: nn.Module
    draw: Callable[[Tensor], Tensor]
    weights: str


def load(folder: Path, step: int) -> LiveGenerator:
    """The generator of `step`, or of the newest checkpoint that is whole for 0; raises EngineError.

    The last one is kept in memory, for as long as its checkpoint stays as it is. Apart from the
    other models, because it is small and comes again with every checkpoint of a live training.
    """
    run = RunFolder(folder)
    kind, config = _config(run)
    wanted = [(found, path) for found, path in reversed(run.checkpoints()) if step in (0, found)]
    problem: FileError | None = None
    for found, path in wanted:
        try:
            return _loaded(found, path, _written(path), kind, config)
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
def _loaded(step: int, path: Path, written: int, kind: str, config: Any) -> LiveGenerator:
    device.configure_threads()
    parts = _gan(config) if kind == "train_gan" else _vae(config)
    parts.network.eval().requires_grad_(False)
    try:
        parts.network.load_state_dict(checkpoints.load_tensors(path, parts.weights))
    except RuntimeError as error:
        raise ModelError(
            f"The weights in {path} do not fit the model that run.json describes.",
            "One of the two was changed; choose another run.",
        ) from error
    return LiveGenerator(step, config.latent_dim, parts.draw, _directions(parts.drawing))


def _gan(config: Any) -> _Parts:
    from engine.models import gan

    generator = gan.build(config).generator
    return _Parts(generator, generator, generator, "generator_ema")


def _vae(config: Any) -> _Parts:
    from engine.models.vae import Vae

    network = Vae(config)
    return _Parts(network, network.decoder, network.draw, "vae_ema")


def _directions(network: nn.Module) -> Tensor:
    """What the first layer makes most of (Shen & Zhou 2021, 2007.06600).

    The right singular vectors of its weights: no training, no labels, and no randomness but the
    sign, which is chosen so that the largest part is positive.
    """
    import torch

    weights = next(weight for weight in network.parameters() if weight.ndim == 2)
    # Of the small side: the first layer may have thousands of outputs for a hundred inputs.
    values, vectors = torch.linalg.eigh((weights.T @ weights).double())
    found = vectors.T[values.argsort(descending=True)]
    largest = found.gather(1, found.abs().argmax(1, keepdim=True))
    return (found * largest.sign()).float()


def _config(run: RunFolder) -> tuple[str, Any]:
    """(trainer, GanConfig or VaeConfig) of the run; raises ModelError."""
    from engine.models.gan import GanConfig
    from engine.models.vae import VaeConfig

    description: dict[str, Any] = run.description()
    kind = str(description.get("task"))
    if kind not in KINDS:
        raise ModelError(
            f"{run.path} holds a run of {kind}, not of a GAN or a VAE.",
            f"Choose the folder of a run of {' or '.join(KINDS)}.",
        )
    try:
        config = GanConfig if kind == "train_gan" else VaeConfig
        return kind, config(**description["model"])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"{run.path / 'run.json'} does not describe a {KINDS[kind]}: {error}.",
            "The file may be damaged, or from another version; choose another run.",
        ) from error
