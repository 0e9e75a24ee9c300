"""The gate for weights in pickle files: only tensors pass, and they leave as safetensors.

Such a file can run programs when it is opened. torch's restricted reader builds tensors and plain
containers only, in the model process; what it read is converted once and the pickle never opened
again.
"""

from __future__ import annotations

import struct
import warnings
import zipfile
from collections.abc import Iterator, Mapping
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
NAMED = ("pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint",)
"""Classes whose names stand in checkpoints of Stable Diffusion, as keys of what is not read."""

_DAMAGED = (
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    OverflowError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
)
"""What torch's reader raises for a file that is none, by trial with damaged ones."""


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
    found = read(path, largest=MOST_UNPACKED)
    return {name: tensor.detach().clone().contiguous() for name, tensor in found.items()}


def read(path: Path, *, largest: int) -> dict[str, Any]:
    """The tensors in the file by name, as they lie there; raises ModelError.

    Where torch packed them they are read from the disk only when they are looked at. `largest`
    bounds the bytes of all of them.
    """
    import torch
    from safetensors import SafetensorError

    packed = _check_archive(path, largest)
    try:
        with torch.serialization.safe_globals([*_stand_ins()]), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that its pickle is of another protocol
            found = _weights_in(
                torch.load(path, map_location="cpu", weights_only=True, mmap=packed)
            )
    except torch.serialization.pickle.UnpicklingError as error:
        raise ModelError(
            f"{path} was not opened: it is damaged, or holds more than weights, "
            "which could run programs.",
            CONVERT,
        ) from error
    except (*_DAMAGED, SafetensorError) as error:  # torch reads by the ending of the name
        raise ModelError(
            f"{path} is no file of weights that torch can read.", FETCH_AGAIN
        ) from error
    if not found:
        raise ModelError(f"{path} holds no weights.", "Choose another file.")
    # A number that is repeated takes no room in the file, and all of it when it is copied.
    if sum(tensor.numel() * tensor.itemsize for tensor in found.values()) > largest:
        raise ModelError(
            f"{path} would unpack to more than {largest / 1e9:.1f} GB, which it cannot hold.",
            "Choose another file.",
        )
    return found


class _Callback:
    """Takes the place of a class that trainings leave as a mere name beside their weights."""


def _stand_ins() -> Iterator[tuple[type, str]]:
    """What the checkpoints of 2022 name and nothing here ever runs."""
    for name in NAMED:
        yield _Callback, name


def _check_archive(path: Path, largest: int) -> bool:
    """Whether torch packed it, which packs nothing smaller: what unpacks to far more is a trap."""
    if not zipfile.is_zipfile(path):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError) as error:
        raise ModelError(f"{path} is damaged.", FETCH_AGAIN) from error
    if unpacked > min(largest, 2 * path.stat().st_size):
        raise ModelError(f"{path} is packed as no weights are.", "Choose another file.")
    return True


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
