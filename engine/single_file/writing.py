"""Writes safetensors tensor by tensor, so that a model of any size passes through little memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from engine import files
from engine.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

ALIGNMENT = 8

_NAMES = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "bfloat16": "BF16",
    "float8_e4m3fn": "F8_E4M3",
    "float8_e5m2": "F8_E5M2",
    "int64": "I64",
    "int32": "I32",
    "int16": "I16",
    "int8": "I8",
    "uint8": "U8",
    "bool": "BOOL",
}


def write_safetensors(
    path: Path, tensors: Mapping[str, Tensor], written: Callable[[int], None]
) -> None:
    """Write the tensors to `path`, whole or not at all; raises FileError.

    `written` hears after each how many bytes came, and may raise to stop.
    """
    # the widest first, as the library does, so that each begins at a multiple of its own size
    order = sorted(tensors, key=lambda name: (-tensors[name].itemsize, name))
    header = _header({name: tensors[name] for name in order})

    def fill(stream: BinaryIO) -> None:
        stream.write(header)
        for name in order:
            data = _bytes(tensors[name])
            stream.write(data)
            written(data.nbytes)

    files.write_stream(path, fill)


def _header(tensors: Mapping[str, Tensor]) -> bytes:
    described: dict[str, object] = {"__metadata__": {"format": "pt"}}
    position = 0
    for name, tensor in tensors.items():
        end = position + tensor.numel() * tensor.itemsize
        kept = _NAMES.get(str(tensor.dtype).removeprefix("torch."))
        if kept is None:
            raise ModelError(f"Numbers of the kind {tensor.dtype} ({name}) cannot be kept.", "")
        described[name] = {
            "dtype": kept,
            "shape": list(tensor.shape),
            "data_offsets": [position, end],
        }
        position = end
    text = json.dumps(described, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    return len(text).to_bytes(8, "little") + text


def _bytes(tensor: Tensor) -> memoryview:
    import torch

    return memoryview(tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy())
