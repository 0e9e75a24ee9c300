"""The GGUF gate: real files pass; what is cut, damaged or hostile is refused by name, quickly."""

from __future__ import annotations

import struct
import time
from pathlib import Path

import pytest
import tiny_language_models as tiny
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import ModelError
from engine.gate.gguf import read_header

STRING, ARRAY, UINT8, UINT32 = 8, 9, 0, 4


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("gguf")
    return tiny.save_gguf(folder / "tiny.gguf", tiny.CHAT_TEMPLATE).read_bytes()


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def setting(name: str, kind: int, value: bytes) -> bytes:
    return text(name) + struct.pack("<I", kind) + value


def number(name: str, value: int) -> bytes:
    return setting(name, UINT32, struct.pack("<I", value))


def tensor(name: str, shape: tuple[int, ...], kind: int, offset: int) -> bytes:
    return (
        text(name)
        + struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
        + struct.pack("<IQ", kind, offset)
    )


LANGUAGE_MODEL = (
    setting("general.architecture", STRING, text("llama")),
    number("llama.context_length", 64),
    setting("tokenizer.ggml.tokens", ARRAY, struct.pack("<IQ", STRING, 2) + text("a") + text("b")),
)
ONE_TENSOR = (tensor("w", (8,), 0, 0),)


def made(
    settings: tuple[bytes, ...] = LANGUAGE_MODEL,
    tensors: tuple[bytes, ...] = ONE_TENSOR,
    data: int = 4096,
    version: int = 3,
    counts: tuple[int, int] | None = None,
) -> bytes:
    tensor_count, key_count = counts or (len(tensors), len(settings))
    start = b"GGUF" + struct.pack("<IQQ", version, tensor_count, key_count)
    return start + b"".join(settings) + b"".join(tensors) + bytes(data)


def refusal(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    started = time.perf_counter()
    with pytest.raises(ModelError) as refused:
        read_header(path)
    assert time.perf_counter() - started < 2
    assert str(path) in refused.value.message
    assert refused.value.hint
    return refused.value.message


def test_reads_a_real_file(whole, tmp_path) -> None:
    path = tmp_path / "any name at all"
    path.write_bytes(whole)
    header = read_header(path)
    assert header.architecture == "llama"
    assert header.context_length == tiny.CONTEXT
    assert header.chat_template == tiny.CHAT_TEMPLATE
    assert (header.bos_token, header.eos_token, header.adds_bos) == ("", tiny.END, False)
    assert header.parameters == sum(p.numel() for p in tiny._model().parameters())


def test_what_this_file_makes_by_hand_passes(tmp_path) -> None:
    path = tmp_path / "hand.gguf"
    path.write_bytes(made())
    assert read_header(path).parameters == 8


def test_every_truncation_is_refused(whole, tmp_path) -> None:
    for length in (*range(0, len(whole) - 1, 997), len(whole) - 33):
        refusal(tmp_path / "cut.gguf", whole[:length])


def test_says_how_much_of_the_file_is_there(whole, tmp_path) -> None:
    message = refusal(tmp_path / "cut.gguf", whole[: len(whole) * 3 // 4])
    assert "cut short" in message
    assert f"of {len(whole) / 1000:.3g} kB" in message


HUGE = 2**62
HOSTILE = {
    "empty": b"",
    "not a GGUF": b"PK\x03\x04" + bytes(100),
    "pickle": b"\x80\x04" + bytes(100),
    "version from the future": made(version=9),
    "big-endian": b"GGUF" + struct.pack(">IQQ", 3, 1, 1) + bytes(100),
    "no tensors": made(tensors=(), counts=(0, 3)),
    "countless tensors": made(counts=(HUGE, 3)),
    "countless settings": made(counts=(1, 2**64 - 1)),
    "endless key": made((struct.pack("<Q", 2**63) + b"x", *LANGUAGE_MODEL)),
    "long key": made((number("k" * 70_000, 1), *LANGUAGE_MODEL)),
    "endless text": made((setting("a", STRING, struct.pack("<Q", HUGE)), *LANGUAGE_MODEL)),
    "endless numbers": made((setting("a", ARRAY, struct.pack("<IQ", UINT32, HUGE)),)),
    "endless strings": made((setting("a", ARRAY, struct.pack("<IQ", STRING, HUGE)),)),
    "many empty strings": made(
        (*LANGUAGE_MODEL, setting("a", ARRAY, struct.pack("<IQ", STRING, 2**21) + bytes(2**24)))
    ),
    "array of arrays": made((setting("a", ARRAY, struct.pack("<IQ", ARRAY, 1)),)),
    "unknown kind": made((setting("a", 13, bytes(8)),)),
    "same setting twice": made((*LANGUAGE_MODEL, number("llama.context_length", 9))),
    "alignment 0": made((*LANGUAGE_MODEL, number("general.alignment", 0))),
    "alignment 24": made((*LANGUAGE_MODEL, number("general.alignment", 24))),
    "alignment 2^31": made((*LANGUAGE_MODEL, number("general.alignment", 2**31))),
    "alignment as text": made((*LANGUAGE_MODEL, setting("general.alignment", STRING, text("x")))),
    "five dimensions": made(tensors=(tensor("w", (1,) * 5, 0, 0),)),
    "empty shape": made(tensors=(tensor("w", (0,), 0, 0),)),
    "shape that overflows": made(tensors=(tensor("w", (2**32, 2**32), 0, 0),)),
    "half a block": made(tensors=(tensor("w", (33,), 2, 0),)),
    "same tensor twice": made(tensors=(tensor("w", (8,), 0, 0), tensor("w", (8,), 0, 32))),
    "tensors on each other": made(tensors=(tensor("v", (16,), 0, 0), tensor("w", (8,), 0, 32))),
    "tensor between two places": made(tensors=(tensor("w", (8,), 0, 8),)),
    "tensor outside": made(tensors=(tensor("w", (8,), 0, HUGE),)),
    "tensor of unknown kind outside": made(tensors=(tensor("w", (8,), 9999, 2**20),)),
    "no language model": made(LANGUAGE_MODEL[:1]),
    "no words": made(LANGUAGE_MODEL[:2]),
    "no context": made((LANGUAGE_MODEL[0], number("llama.context_length", 0), LANGUAGE_MODEL[2])),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_quickly(name, tmp_path) -> None:
    refusal(tmp_path / "hostile.gguf", HOSTILE[name])


def test_a_folder_and_a_missing_file_are_named(tmp_path) -> None:
    for path in (tmp_path, tmp_path / "missing.gguf"):
        with pytest.raises(ModelError, match=path.name):
            read_header(path)


def test_a_token_that_does_not_exist_is_left_out(tmp_path) -> None:
    path = tmp_path / "token.gguf"
    path.write_bytes(made((*LANGUAGE_MODEL, number("tokenizer.ggml.bos_token_id", 2))))
    assert read_header(path).bos_token == ""
    path = tmp_path / "token2.gguf"
    path.write_bytes(made((*LANGUAGE_MODEL, number("tokenizer.ggml.bos_token_id", 1))))
    assert read_header(path).bos_token == "b"


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_is_either_harmless_or_refused(whole, tmp_path, data) -> None:
    damaged = bytearray(whole)
    header = len(whole) - 4 * sum(p.numel() for p in tiny._model().parameters())
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, header - 9))
        patch = data.draw(
            st.one_of(
                st.binary(min_size=1, max_size=8),
                st.sampled_from([0, 1, 2**31, 2**32, 2**62, 2**63, 2**64 - 1]).map(
                    lambda value: struct.pack("<Q", value)
                ),
            )
        )
        damaged[place : place + len(patch)] = patch
    path = tmp_path / "damaged.gguf"
    path.write_bytes(damaged)
    try:
        assert read_header(path).context_length > 0
    except ModelError as error:
        assert str(path) in error.message


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=st.binary(max_size=400))
def test_junk_behind_the_magic_is_refused(tmp_path, junk) -> None:
    refusal(tmp_path / "junk.gguf", b"GGUF\x03\0\0\0" + junk)
