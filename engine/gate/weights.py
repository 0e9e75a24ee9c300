"""The gate for weights: safetensors by content, complete and consistent; pickle formats never."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from engine.errors import ModelError
from engine.gate import json_text

MAXIMUM_HEADER = 100_000_000
"""The limit of the safetensors library itself."""

PICKLE_SUFFIXES = frozenset({".bin", ".ckpt", ".pt", ".pth", ".pkl", ".pickle", ".npy", ".npz"})

BITS = {
    **dict.fromkeys(("F64", "I64", "U64", "C64"), 64),
    **dict.fromkeys(("F32", "I32", "U32"), 32),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 16),
    **dict.fromkeys(("BOOL", "I8", "U8", "F8_E4M3", "F8_E5M2", "F8_E8M0"), 8),
    **dict.fromkeys(("F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8),
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
    "F4": 4,
}

FETCH_AGAIN = "Copy or download this file again, whole."
CONVERT = "Get this model as .safetensors, or convert it on a machine where you trust it."


def check_safetensors(path: Path) -> int:
    """The number of parameters in the file, once its header agrees with its size.

    Raises ModelError that names the file: not safetensors, cut short, or inconsistent.
    """
    header, data_size = _read_header(path)
    try:
        return _check_tensors(path, header, data_size)
    except ValueError as error:
        raise ModelError(f"The header of {path} is damaged: {error}.", FETCH_AGAIN) from error


def tensors(paths: Iterable[Path]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """What each tensor in these checked files is kept as (F32, BF16 …), and its shape."""
    for path in paths:
        for name, tensor in _read_header(path)[0].items():
            if name != "__metadata__":
                yield tensor["dtype"], tuple(tensor["shape"])


def described(path: Path) -> Iterator[tuple[str, tuple[int, ...], int]]:
    """The name and shape of each tensor in a checked file, and the bits of one of its numbers."""
    for name, tensor in _read_header(path)[0].items():
        if name != "__metadata__":
            yield name, tuple(tensor["shape"]), BITS[tensor["dtype"]]


def names_of(path: Path) -> list[str]:
    """The names of the tensors in a checked file."""
    return [name for name in _read_header(path)[0] if name != "__metadata__"]


def metadata_of(path: Path) -> dict[str, str]:
    """What a checked file says of itself."""
    said = _read_header(path)[0].get("__metadata__")
    pairs = said.items() if isinstance(said, dict) else ()
    return {str(name): value for name, value in pairs if isinstance(value, str)}


def _read_header(path: Path) -> tuple[Any, int]:
    """What the file says of its tensors, and how many bytes follow; raises ModelError."""
    try:
        size = path.stat().st_size
        with open(path, "rb") as stream:
            start = stream.read(8)
            length = int.from_bytes(start, "little")
            if len(start) < 8 or not 2 <= length <= MAXIMUM_HEADER:
                raise _not_safetensors(path, start)
            if 8 + length > size:
                raise cut_short(path, size, 8 + length)
            header = stream.read(length)
    except OSError as error:
        raise ModelError(
            f"{path} could not be read: {error.strerror or error}.", "Check its permissions."
        ) from error
    try:
        return json_text.parse(header), size - 8 - length
    except ValueError as error:
        raise ModelError(f"The header of {path} is damaged: {error}.", FETCH_AGAIN) from error


def read_index(path: Path) -> tuple[Path, ...]:
    """The files that a `.safetensors.index.json` names, each beside it; raises ModelError."""
    try:
        if path.stat().st_size > MAXIMUM_HEADER:
            raise ValueError("it is too large")
        index = json_text.parse(path.read_bytes())
        names = set(index["weight_map"].values())
        if not names or not all(_is_plain_name(name) for name in names):
            raise ValueError("it names no files beside it")
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelError(f"{path} cannot be used: {error}.", FETCH_AGAIN) from error
    return tuple(path.parent / name for name in sorted(names))


def content_hash(paths: Iterable[Path]) -> str:
    """SHA-256 over the contents of these files, in this order; their names do not count."""
    digest = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def pickle_error(path: Path) -> ModelError:
    return ModelError(
        f"{path} is a pickle file, which can run programs when it is opened.",
        "Get this model as .safetensors, or let Add a model convert it: it reads the numbers only.",
    )


def _check_tensors(path: Path, header: Any, data_size: int) -> int:
    """Every tensor's bytes follow those of the tensor before it, up to the end of the file."""
    if not isinstance(header, dict):
        raise ValueError("it lists no tensors")
    header.pop("__metadata__", None)
    spans: list[tuple[int, int]] = []
    parameters = 0
    for name, tensor in header.items():
        count, span = _check_tensor(name, tensor)
        parameters += count
        spans.append(span)
    position = 0
    for begin, end in sorted(spans):
        if begin != position:
            raise ValueError("its tensors overlap or leave gaps")
        position = end
    if position > data_size:
        file_size = path.stat().st_size
        raise cut_short(path, file_size, file_size - data_size + position)
    if position < data_size:
        raise ValueError(f"{data_size - position} bytes at the end belong to no tensor")
    return parameters


def _check_tensor(name: str, tensor: Any) -> tuple[int, tuple[int, int]]:
    if not isinstance(tensor, dict) or set(tensor) != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"tensor {name[:80]!r} is not described")
    shape, offsets, bits = tensor["shape"], tensor["data_offsets"], BITS.get(str(tensor["dtype"]))
    if bits is None:
        raise ValueError(f"tensor {name[:80]!r} has an unknown dtype")
    if not _are_counts(shape) or not _are_counts(offsets) or len(offsets) != 2:
        raise ValueError(f"tensor {name[:80]!r} has no usable shape")
    count = math.prod(shape)
    if offsets[1] - offsets[0] != (count * bits + 7) // 8:
        raise ValueError(f"the size of tensor {name[:80]!r} does not fit its shape")
    return count, (offsets[0], offsets[1])


def _are_counts(values: Any) -> bool:
    return (
        isinstance(values, list)
        and len(values) <= 16
        and all(type(value) is int and 0 <= value < 2**63 for value in values)
    )


def _is_plain_name(name: Any) -> bool:
    return (
        isinstance(name, str)
        and name.endswith(".safetensors")
        and not name.startswith(".")
        and not any(mark in name for mark in "/\\:\0")
    )


def _not_safetensors(path: Path, start: bytes) -> ModelError:
    if start.startswith((b"PK\x03\x04", b"\x80")):  # torch's zip, or a bare pickle
        return pickle_error(path)
    if start.startswith(b"GGUF"):
        return ModelError(f"{path} is a GGUF file.", "GGUF language models are used in Write.")
    if not start:
        return ModelError(f"{path} is empty.", FETCH_AGAIN)
    return ModelError(f"{path} is not a safetensors file.", FETCH_AGAIN)


def cut_short(path: Path, size: int, wanted: int) -> ModelError:
    return ModelError(
        f"{path} is cut short: the file is {_amount(size, wanted)} of {_amount(wanted, wanted)} "
        f"{_unit(wanted)[1]}.",
        FETCH_AGAIN,
    )


def _unit(size: int) -> tuple[int, str]:
    for factor, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= factor:
            return factor, name
    return 1, "bytes"


def _amount(size: int, beside: int) -> str:
    """`size` in the unit that fits the number it stands beside: three digits are enough."""
    return f"{size / _unit(beside)[0]:.3g}"
