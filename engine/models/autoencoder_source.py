"""Finds a trained autoencoder: in an image model's folder or in a run of train_autoencoder."""

from __future__ import annotations

from diffusers import AutoencoderTiny

from engine import checkpoints, library
from engine.errors import ModelError
from engine.gate.model_folder import check_pipeline
from engine.models import tiny_autoencoder
from engine.runs import RunFolder


def load_autoencoder(name: str) -> AutoencoderTiny:
    """The autoencoder called `name` or at that path, in fp32, ready to use; raises ModelError."""
    path = library.find(name)
    if (path / "run.json").is_file():
        return _from_run(RunFolder(path))
    folder = check_pipeline(path)
    if not any(part.class_name == "AutoencoderTiny" for part in folder.components):
        raise ModelError(
            f"{path} has no AutoencoderTiny.", "Choose a model trained here, or train_autoencoder."
        )
    return AutoencoderTiny.from_pretrained(
        str(path / "vae"), local_files_only=True, use_safetensors=True
    ).float().eval()  # fmt: skip


def _from_run(run: RunFolder) -> AutoencoderTiny:
    description = run.description()
    newest = run.checkpoints()
    if description.get("task") != "train_autoencoder" or not newest:
        raise ModelError(
            f"{run.path} has no trained autoencoder.",
            "Choose a run of train_autoencoder that has a checkpoint.",
        )
    config = tiny_autoencoder.AutoencoderConfig(**description["model"])
    autoencoder = tiny_autoencoder.build(config)
    _, path = newest[-1]
    autoencoder.load_state_dict(checkpoints.load_tensors(path, "average"))
    return autoencoder.eval()
