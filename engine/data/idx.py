"""IDX files, the format MNIST is published in: reading (plain or gzipped) and writing.

The format: two zero bytes, a type byte (8 = uint8), the number of dimensions, each dimension as a
big-endian uint32, then the values. An image file has three dimensions, or four with channels.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import IO, cast

import numpy as np
from numpy.typing import NDArray

from engine import files
from engine.errors import DatasetError

Bytes = NDArray[np.uint8]

UNSIGNED_BYTE = 8
GZIP_MAGIC = b"\x1f\x8b"
MAX_BYTES = 2**31
"""More than this is not decoded: a small gzip file can claim to hold anything."""


def read(path: Path) -> Bytes:
    """The array in the IDX file at `path`, gzipped or not; raises DatasetError naming the file."""
    try:
        with _open(path) as stream:
            return _array(path, stream)
    except (OSError, EOFError, zlib.error) as error:
        raise _broken(path, f"it cannot be read ({error})") from error


def read_images(path: Path) -> Bytes:
    """The images in an IDX file as (N, H, W, C); raises DatasetError."""
    values = read(path)
    if values.ndim == 3:
        values = values[..., np.newaxis]
    if values.ndim != 4 or values.shape[-1] not in (1, 3):
        raise _broken(path, f"its shape {values.shape} is not that of images")
    if 0 in values.shape:
        raise _broken(path, "it holds no images")
    return values


def labels_path(images: Path) -> Path:
    """Where the labels of an image file are, by the usual naming (`…images-idx3…`)."""
    return images.with_name(images.name.replace("images", "labels").replace("idx3", "idx1"))


def write(path: Path, values: Bytes) -> None:
    """Write a uint8 array as IDX, gzipped when the name ends in .gz. The same bytes every time."""
    header = struct.pack(">HBB", 0, UNSIGNED_BYTE, values.ndim)
    data = header + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()
    files.write_bytes(path, gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


def is_idx(path: Path) -> bool:
    """Whether the name says IDX: `train-images-idx3-ubyte`, `x.idx`, either with .gz."""
    name = path.name.lower().removesuffix(".gz")
    return name.endswith((".idx", ".idx3", "-ubyte", ".idx3-ubyte"))


def _open(path: Path) -> IO[bytes]:
    stream = path.open("rb")
    gzipped = stream.read(2) == GZIP_MAGIC
    stream.seek(0)
    if not gzipped:
        return stream
    stream.close()
    return cast(IO[bytes], gzip.open(path, "rb"))


def _array(path: Path, stream: IO[bytes]) -> Bytes:
    zero, kind, dimensions = struct.unpack(">HBB", _exactly(path, stream, 4))
    if zero != 0 or kind != UNSIGNED_BYTE or not 1 <= dimensions <= 4:
        raise _broken(path, "it does not begin like an IDX file of bytes")
    shape = struct.unpack(f">{dimensions}I", _exactly(path, stream, 4 * dimensions))
    count = math.prod(shape)
    if count > MAX_BYTES:
        raise _broken(path, f"it claims to hold {count:,} bytes, more than {MAX_BYTES:,}")
    data = bytearray(_exactly(path, stream, count))  # mutable, as torch wants its arrays
    values = np.frombuffer(data, np.uint8).reshape(shape)
    if stream.read(1):
        raise _broken(path, "it goes on after its last value")
    return values


def _exactly(path: Path, stream: IO[bytes], count: int) -> bytes:
    data = stream.read(count)
    if len(data) < count:
        raise _broken(path, f"it ends {count - len(data):,} bytes too early")
    return data


def _broken(path: Path, reason: str) -> DatasetError:
    return DatasetError(
        f"{path} is not a complete IDX file: {reason}.",
        "Copy or download the file again, or choose another dataset.",
    )
