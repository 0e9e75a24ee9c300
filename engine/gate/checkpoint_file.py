"""The gate for whole models in one file: tensors by name, read where they lie, one at a time.

Safetensors are told by their content. A pickle passes only where the person asked for it, and
only its numbers do; see `pickled_weights`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import ModelError
from engine.gate import pickled_weights
from engine.gate.weights import MAXIMUM_HEADER, check_safetensors, described, metadata_of

if TYPE_CHECKING:
    import torch

ARCHIVE, PICKLE = b"PK\x03\x04", b"\x80"
"""How torch's archives begin, and bare pickles."""


@dataclass(frozen=True)
class CheckpointFile:
    """The tensors of a file that passed the gate."""

    path: Path
    shapes: dict[str, tuple[int, ...]]
    metadata: dict[str, str]
    tensor: Callable[[str], torch.Tensor]
    """By its name; nothing of it is in memory before it is looked at."""
    itemsizes: dict[str, int]
    """Bytes of one number of each tensor."""


def is_pickle(path: Path) -> bool:
    """Whether it begins as one; raises ModelError for a file that cannot be read."""
    try:
        with open(path, "rb") as stream:
            start = stream.read(9)
    except OSError as error:
        raise ModelError(
            f"{path} could not be read: {error.strerror or error}.", "Check its permissions."
        ) from error
    # the length of a header of safetensors may begin as a pickle does
    header = int.from_bytes(start[:8], "little") <= MAXIMUM_HEADER and start[8:] == b"{"
    return start.startswith(ARCHIVE) or (start.startswith(PICKLE) and not header)


@contextmanager
def opened(path: Path, *, pickles: bool = False) -> Iterator[CheckpointFile]:
    """The checkpoint `path`; raises ModelError. `pickles`: whether one of those may be read."""
    if pickles and is_pickle(path):
        yield _pickled(path)
        return
    check_safetensors(path)
    from safetensors import safe_open

    shapes, itemsizes = {}, {}
    for name, shape, bits in described(path):
        shapes[name], itemsizes[name] = shape, bits // 8
    with safe_open(path, framework="pt") as file:
        yield CheckpointFile(path, shapes, metadata_of(path), file.get_tensor, itemsizes)


def _pickled(path: Path) -> CheckpointFile:
    tensors = pickled_weights.read(path, largest=2 * path.stat().st_size)
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    itemsizes = {name: tensor.itemsize for name, tensor in tensors.items()}
    return CheckpointFile(path, shapes, {}, tensors.__getitem__, itemsizes)
