"""The gate for weights: cut, bent and foreign files are refused by their content."""

from __future__ import annotations

import json
import pickle
import random
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from engine.errors import ModelError
from engine.gate.weights import check_safetensors, content_hash, read_index

TENSORS = {
    "a": torch.arange(12, dtype=torch.float32).reshape(3, 4),
    "b": torch.zeros(5, dtype=torch.bfloat16),
    "empty": torch.zeros(0, 3, dtype=torch.int64),
    "scalar": torch.tensor(True),
}


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "weights.safetensors"
    save_file(TENSORS, path, metadata={"format": "pt"})
    return path


def pack(header: Any, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def tensor(dtype: Any = "F32", shape: Any = (2,), offsets: Any = (0, 8)) -> dict[str, Any]:
    return {"a": {"dtype": dtype, "shape": shape, "data_offsets": offsets}}


def test_whole_files_pass_and_their_parameters_are_counted(weights: Path) -> None:
    assert check_safetensors(weights) == 12 + 5 + 0 + 1


def test_a_file_cut_anywhere_is_refused(weights: Path) -> None:
    data = weights.read_bytes()
    for length in range(len(data)):
        weights.write_bytes(data[:length])
        with pytest.raises(ModelError, match=r"weights\.safetensors"):
            check_safetensors(weights)


def test_a_cut_file_says_how_much_is_there(tmp_path: Path) -> None:
    path = tmp_path / "large.safetensors"
    header = tensor("U8", (98_000_000,), (0, 98_000_000))
    with open(path, "wb") as stream:
        stream.write(pack(header))
        stream.truncate(31_000_000)
    with pytest.raises(ModelError, match="the file is 31 of 98 MB"):
        check_safetensors(path)


@pytest.mark.parametrize(
    "data",
    [
        pack(tensor(), bytes(8) + b"more"),
        pack(tensor(offsets=(4, 12)), bytes(12)),
        pack(tensor() | {"b": {**tensor()["a"], "data_offsets": (4, 12)}}, bytes(12)),
        pack(tensor(shape=(2**62, 2**62)), bytes(8)),
        pack(tensor(shape=[1] * 1000 + [2]), bytes(8)),
        pack(tensor(shape=(-2,)), bytes(8)),
        pack(tensor(shape=(2.0,)), bytes(8)),
        pack(tensor(shape=(True, 2)), bytes(8)),
        pack(tensor(shape="2"), bytes(8)),
        pack(tensor(dtype="F33"), bytes(8)),
        pack(tensor(dtype=["F32"]), bytes(8)),
        pack(tensor(offsets=(8, 0)), bytes(8)),
        pack(tensor(offsets=(0, 8, 8)), bytes(8)),
        pack({"a": 1}),
        pack({"a": {}}),
        pack([]),
        pack(b"{" + b'"a":{' * 50_000),
        pack(b'{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},' * 2),
        pack(b"\xff\xfe{}"),
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 0),
    ],
)
def test_headers_that_lie_are_refused_at_once(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "odd.safetensors"
    path.write_bytes(data)
    started = time.monotonic()
    with pytest.raises(ModelError, match=r"odd\.safetensors"):
        check_safetensors(path)
    assert time.monotonic() - started < 1


@given(st.binary(max_size=200))
def test_any_header_is_accepted_or_refused_clearly(
    tmp_path_factory: pytest.TempPathFactory, header: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.safetensors"
    path.write_bytes(pack(header))
    try:
        check_safetensors(path)
    except ModelError as error:
        assert "any.safetensors" in error.message


def test_what_passes_here_is_what_the_library_reads(weights: Path) -> None:
    """Flip bits of the header: the gate may be stricter than the library, never laxer."""
    from safetensors import SafetensorError, safe_open

    data, chance = weights.read_bytes(), random.Random(0)
    length = 8 + int.from_bytes(data[:8], "little")
    for _ in range(500):
        flipped = bytearray(data)
        flipped[chance.randrange(length)] ^= 1 << chance.randrange(8)
        weights.write_bytes(flipped)
        try:
            check_safetensors(weights)
        except ModelError:
            continue
        try:
            with safe_open(weights, "pt") as opened:
                assert len(list(opened.keys())) == len(TENSORS)
        except SafetensorError as error:
            pytest.fail(f"let through, but the library says {error}")


class Marker:
    """What a malicious pickle does, at its most harmless: it creates a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str, str]]:
        return open, (str(self.path), "w")


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", ["x.safetensors", "x.SafeTensors", "x.gguf", "x.png", "x.bin"])
def test_a_pickle_is_refused_whatever_its_name(tmp_path: Path, protocol: int, name: str) -> None:
    marker, path = tmp_path / "marker", tmp_path / name
    path.write_bytes(pickle.dumps({"a": Marker(marker)}, protocol))
    with pytest.raises(ModelError, match="x\\."):
        check_safetensors(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Marker(marker), 2))
    with pytest.raises(ModelError, match="pickle") as caught:
        check_safetensors(path)
    assert ".safetensors" in caught.value.hint
    assert not marker.exists()


def test_a_gguf_is_called_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").write_bytes(b"GGUF\3\0\0\0" + bytes(50))
    with pytest.raises(ModelError, match="GGUF"):
        check_safetensors(tmp_path / "x.safetensors")


@pytest.mark.parametrize(
    "index",
    [
        "",
        "[]",
        "{}",
        '{"weight_map": {}}',
        '{"weight_map": []}',
        '{"weight_map": {"a": 1}}',
        '{"weight_map": {"a": "../x.safetensors"}}',
        '{"weight_map": {"a": "/x.safetensors"}}',
        '{"weight_map": {"a": "C:\\\\x.safetensors"}}',
        '{"weight_map": {"a": "x.bin"}}',
        '{"weight_map": {"a": ["x.safetensors"]}}',
    ],
)
def test_an_index_names_only_safetensors_beside_it(tmp_path: Path, index: str) -> None:
    path = tmp_path / "model.safetensors.index.json"
    path.write_text(index)
    with pytest.raises(ModelError, match="index"):
        read_index(path)


def test_the_hash_is_of_the_contents(weights: Path, tmp_path: Path) -> None:
    first = content_hash([weights])
    renamed = weights.rename(tmp_path / "renamed.safetensors")
    assert content_hash([renamed]) == first
    data = bytearray(renamed.read_bytes())
    data[-1] ^= 1
    renamed.write_bytes(data)
    assert content_hash([renamed]) != first
