"""IDX files: what is written comes back, and nothing damaged is taken for data."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from engine.data import idx
from engine.errors import DatasetError

quick = settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
some_arrays = arrays(np.uint8, array_shapes(min_dims=1, max_dims=4, max_side=5))


@quick
@given(values=some_arrays, suffix=st.sampled_from([".idx", "-ubyte", ".gz"]))
def test_what_is_written_comes_back(tmp_path: Path, values: np.ndarray, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"
    idx.write(path, values)
    assert np.array_equal(idx.read(path), values)


@quick
@given(values=some_arrays, cut=st.integers(1, 8), gzipped=st.booleans())
def test_a_truncated_file_is_named(
    tmp_path: Path, values: np.ndarray, cut: int, gzipped: bool
) -> None:
    path = tmp_path / ("short.gz" if gzipped else "short.idx")
    idx.write(path, values)
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(DatasetError, match=r"short\.(gz|idx) is not a complete IDX file"):
        idx.read(path)


@quick
@given(data=st.binary(max_size=64), gzipped=st.booleans())
def test_any_bytes_are_an_array_or_a_dataset_error(
    tmp_path: Path, data: bytes, gzipped: bool
) -> None:
    path = tmp_path / "any"
    path.write_bytes(gzip.compress(data) if gzipped else data)
    try:
        values = idx.read(path)
    except DatasetError:
        return
    assert values.nbytes <= len(data)


def test_a_lying_header_does_not_take_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "liar"
    path.write_bytes(struct.pack(">HBB4I", 0, 8, 4, *[65535] * 4))
    with pytest.raises(DatasetError, match="claims to hold"):
        idx.read(path)


def test_more_bytes_than_promised_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "long"
    idx.write(path, np.zeros(4, np.uint8))
    path.write_bytes(path.read_bytes() + b"!")
    with pytest.raises(DatasetError, match="goes on"):
        idx.read(path)


@pytest.mark.parametrize("kind", [0x09, 0x0B, 0x0C, 0x0D, 0x0E])
def test_other_types_than_bytes_are_refused(tmp_path: Path, kind: int) -> None:
    path = tmp_path / "floats"
    path.write_bytes(struct.pack(">HBBI", 0, kind, 1, 0))
    with pytest.raises(DatasetError, match="IDX file of bytes"):
        idx.read(path)


@pytest.mark.parametrize("shape", [(6,), (2, 3), (0, 2, 2), (1, 2, 2, 4)])
def test_what_is_not_images_is_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = tmp_path / "labels"
    idx.write(path, np.zeros(shape, np.uint8))
    with pytest.raises(DatasetError):
        idx.read_images(path)


def test_gray_images_get_a_channel(tmp_path: Path) -> None:
    path = tmp_path / "gray"
    idx.write(path, np.zeros((3, 4, 5), np.uint8))
    assert idx.read_images(path).shape == (3, 4, 5, 1)


def test_the_same_array_makes_the_same_bytes(tmp_path: Path) -> None:
    values = np.arange(256, dtype=np.uint8)
    for name in ("a.gz", "b.gz"):
        idx.write(tmp_path / name, values)
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()
