"""The gate for weights in pickle files: only tensors pass, and they leave as safetensors.

Such a file can run programs when it is opened. torch's restricted reader builds tensors and plain
containers only, in the model process; what it read is converted once and the pickle never opened
again.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine import files, folders
from engine.errors import ModelError
from engine.events import Notice, Report
from engine.gate.weights import CONVERT, FETCH_AGAIN, content_hash

SUFFIXES = frozenset({".pth", ".pt", ".ckpt"})
INSIDE = ("params_ema", "params-ema", "params", "model_state_dict", "state_dict", "model", "net")
"""Where those who train upscalers keep the weights among other things."""
MOST_UNPACKED = 4_000_000_000
"""Bytes; no upscaler is larger."""


def converted(path: Path, report: Report) -> Path:
    """The same weights as a safetensors file in the cache, by content; raises ModelError."""
    try:
        target = folders.cache() / "converted" / f"{content_hash([path])[:32]}.safetensors"
    except OSError as error:
        raise ModelError(
            f"{path} could not be read: {error.strerror or error}.", "Check its permissions."
        ) from error
    if not target.is_file():
        report(Notice(f"{path.name} is a pickle file: only its numbers are read, and kept apart."))
        _convert(path, target)
    return target


def _convert(path: Path, target: Path) -> None:
    from safetensors.torch import save

    tensors = _tensors(path)
    files.write_bytes(target, save(tensors, metadata={"format": "pt"}))


def _tensors(path: Path) -> dict[str, Any]:
    """By name, each with memory of its own."""
    import torch

    _check_archive(path)
    try:
        read = torch.load(path, map_location="cpu", weights_only=True)
    except torch.serialization.pickle.UnpicklingError as error:
        raise ModelError(
            f"{path} was not opened: it is damaged, or holds more than weights, "
            "which could run programs.",
            CONVERT,
        ) from error
    except (RuntimeError, OSError, EOFError, KeyError, ValueError, AttributeError) as error:
        raise ModelError(
            f"{path} is no file of weights that torch can read.", FETCH_AGAIN
        ) from error
    found = _weights_in(read)
    if not found:
        raise ModelError(f"{path} holds no weights.", "Choose another file.")
    # A number that is repeated takes no room in the file, and all of it when it is copied.
    if sum(tensor.numel() * tensor.itemsize for tensor in found.values()) > MOST_UNPACKED:
        raise ModelError(f"{path} is larger than any upscaler.", "Choose another file.")
    return {name: tensor.detach().clone().contiguous() for name, tensor in found.items()}


def _check_archive(path: Path) -> None:
    """torch packs nothing: an archive that unpacks to far more than its own size is a trap."""
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError) as error:
        raise ModelError(f"{path} is damaged.", FETCH_AGAIN) from error
    if unpacked > min(MOST_UNPACKED, 2 * path.stat().st_size):
        raise ModelError(f"{path} is packed as no weights are.", "Choose another file.")


def _weights_in(read: Any) -> dict[str, Any]:
    """The tensors of a state dict, wherever in the file it stands."""
    import torch

    while isinstance(read, Mapping):
        inside = next((read[key] for key in INSIDE if isinstance(read.get(key), Mapping)), None)
        if inside is None:
            return {
                str(name): value for name, value in read.items() if isinstance(value, torch.Tensor)
            }
        read = inside
    return {}
