"""The gate for GGUF: a bounded reading of the header before llama.cpp or the gguf package see it.

The layout is that of the GGUF specification (github.com/ggml-org/ggml, docs/gguf.md): magic,
version, counts, metadata, descriptions of the tensors, then their data. Every count and length is
compared with the size of the file before it is believed.
"""

from __future__ import annotations

import math
import mmap
import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

from engine.errors import ModelError
from engine.gate.weights import FETCH_AGAIN, cut_short

MAGIC = b"GGUF"
MAXIMUM_KEYS = 10_000
MAXIMUM_TENSORS = 100_000
MAXIMUM_STRINGS = 2_000_000
"""In all arrays together; the largest vocabularies have 262,144 tokens and about as many merges."""
MAXIMUM_KEY = 65_535
MAXIMUM_DIMENSIONS = 4
MAXIMUM_ALIGNMENT = 65_536
DEFAULT_ALIGNMENT = 32

STRING, ARRAY = 8, 9
SCALARS = dict(enumerate("BbHhIif?")) | {10: "Q", 11: "q", 12: "d"}
"""Codes of Python's struct, by the number of a kind."""


@dataclass(frozen=True)
class GgufHeader:
    """What the header of a language model says about it."""

    path: Path
    architecture: str
    context_length: int
    """The most tokens that it was trained to see at once."""
    parameters: int
    chat_template: str
    """A Jinja template from a stranger; empty for a base model."""
    bos_token: str
    eos_token: str
    adds_bos: bool
    """Whether llama.cpp puts the first token there by itself."""
    bytes_per_token: int = 0
    """Of memory that llama.cpp keeps of each token it has read: keys and values in float16."""
    licence: str = ""


def read_header(path: Path) -> GgufHeader:
    """The header of the language model at `path`; raises ModelError that names the file."""
    try:
        status = path.stat()
        return _read_header(path, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise ModelError(
            f"{path} could not be read: {error.strerror or error}.", "Check its permissions."
        ) from error


@lru_cache(maxsize=8)
def _read_header(path: Path, size: int, modified: int) -> GgufHeader:
    with open(path, "rb") as stream:
        if stream.read(4) != MAGIC:
            problem = "is not a GGUF file" if size else "is empty"
            raise ModelError(f"{path} {problem}.", "Choose a .gguf file or a model folder.")
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            reader = _Reader(path, data)
            metadata, tensor_count = reader.metadata()
            parameters = reader.check_tensors(tensor_count, metadata)
            return _header(path, metadata, parameters, reader)


@dataclass(frozen=True)
class _StringArray:
    """Where the strings of an array begin, read again only for the one that is asked for."""

    position: int
    count: int


class _Reader:
    """Walks through the header; nothing is allocated that the file is too short to hold."""

    def __init__(self, path: Path, data: mmap.mmap) -> None:
        self.path = path
        self.data = data
        self.size = len(data)
        self.position = len(MAGIC)
        self.strings_left = MAXIMUM_STRINGS

    def metadata(self) -> tuple[dict[str, Any], int]:
        """All keys and values, and how many tensors follow."""
        version = self.number("I")
        if version not in (2, 3):
            if version in (1, 0x02000000, 0x03000000):
                self.refuse(f"version {version:#x} of the format cannot be read here")
            self.refuse("it names a version of the format that does not exist")
        tensor_count, key_count = self.number("Q"), self.number("Q")
        if not 0 < tensor_count <= MAXIMUM_TENSORS or key_count > MAXIMUM_KEYS:
            self.refuse(f"it claims {tensor_count} tensors and {key_count} settings")
        metadata: dict[str, Any] = {}
        for _ in range(key_count):
            key = self.text(MAXIMUM_KEY)
            if not key or key in metadata:
                self.refuse(f"the setting {key[:80]!r} occurs twice or has no name")
            metadata[key] = self.value(self.number("I"))
        return metadata, tensor_count

    def check_tensors(self, count: int, metadata: dict[str, Any]) -> int:
        """The number of parameters, once every tensor lies inside the file and on no other."""
        alignment = metadata.get("general.alignment", DEFAULT_ALIGNMENT)
        if (
            type(alignment) is not int
            or not 0 < alignment <= MAXIMUM_ALIGNMENT
            or (alignment & (alignment - 1))
        ):
            self.refuse("its alignment is no power of two")
        names: set[str] = set()
        spans: list[tuple[int, int]] = []
        parameters = 0
        for _ in range(count):
            name, elements, offset, size = self.tensor()
            if name in names or offset % alignment:
                self.refuse(f"tensor {name[:80]!r} occurs twice or is not aligned")
            names.add(name)
            parameters += elements
            spans.append((offset, offset + size))
        self.check_spans(sorted(spans), -(-self.position // alignment) * alignment)
        return parameters

    def check_spans(self, spans: list[tuple[int, int]], start: int) -> None:
        end = 0
        for begin, stop in spans:
            if begin < end:
                self.refuse("its tensors overlap")
            end = stop
        if start + end > self.size:
            if start + end > 2**50:
                self.refuse("it claims more data than any disk holds")
            raise cut_short(self.path, self.size, start + end)

    def tensor(self) -> tuple[str, int, int, int]:
        """Name, number of elements, offset and size in bytes of the tensor described next."""
        name = self.text(MAXIMUM_KEY)
        dimensions = self.number("I")
        if not 0 < dimensions <= MAXIMUM_DIMENSIONS:
            self.refuse(f"tensor {name[:80]!r} has {dimensions} dimensions")
        shape = [self.number("Q") for _ in range(dimensions)]
        elements = math.prod(shape)
        if not 0 < elements < 2**50:
            self.refuse(f"tensor {name[:80]!r} has an impossible shape")
        block, size = _block_sizes().get(self.number("I"), (1, 0))
        if shape[0] % block:
            self.refuse(f"the shape of tensor {name[:80]!r} does not fit its type")
        # A type that is not known here is one for llama.cpp to judge: only its place is checked.
        return name, elements, self.number("Q"), elements // block * size

    def value(self, kind: int) -> Any:
        if kind == STRING:
            return self.text(self.size)
        if kind == ARRAY:
            return self.array()
        if kind not in SCALARS:
            self.refuse(f"it holds a value of unknown kind {kind}")
        return self.number(SCALARS[kind])

    def array(self) -> _StringArray | None:
        """Strings are walked through, numbers skipped."""
        kind, count = self.number("I"), self.number("Q")
        if kind == STRING:
            found = _StringArray(self.position, count)
            self.strings_left -= count
            if self.strings_left < 0:
                self.refuse(f"it holds more than {MAXIMUM_STRINGS} strings")
            self.skip_strings(count)
            return found
        if kind not in SCALARS:
            self.refuse("it holds an array of arrays or of an unknown kind")
        self.skip(count * struct.calcsize(f"<{SCALARS[kind]}"))
        return None

    def skip_strings(self, count: int) -> None:
        position, last, unpack = self.position, self.size - 8, struct.Struct("<Q").unpack_from
        for _ in range(count):
            if position > last:
                self.ends_early()
            position += 8 + unpack(self.data, position)[0]
        if position > self.size:
            self.ends_early()
        self.position = position

    def string_at(self, array: _StringArray, index: int) -> str:
        """One string of an array that has been walked through."""
        self.position = array.position
        self.skip_strings(index)
        return self.text(self.size)

    def number(self, code: str) -> Any:
        start = self.position
        self.skip(struct.calcsize(f"<{code}"))
        return struct.unpack_from(f"<{code}", self.data, start)[0]

    def text(self, longest: int) -> str:
        length = self.number("Q")
        if length > longest and longest < self.size:
            self.refuse(f"it holds a name of {length} bytes")
        start = self.position
        self.skip(length)
        return self.data[start : self.position].decode("utf-8", "replace")

    def skip(self, length: int) -> None:
        if length > self.size - self.position:
            self.ends_early()
        self.position += length

    def ends_early(self) -> NoReturn:
        raise ModelError(
            f"{self.path} is cut short: it ends after {self.size} bytes, inside its header.",
            FETCH_AGAIN,
        )

    def refuse(self, reason: str) -> NoReturn:
        raise ModelError(f"The header of {self.path} is damaged: {reason}.", FETCH_AGAIN)


def _header(path: Path, metadata: dict[str, Any], parameters: int, reader: _Reader) -> GgufHeader:
    architecture = _text(metadata, "general.architecture")
    context_length = metadata.get(f"{architecture}.context_length")
    tokens = metadata.get("tokenizer.ggml.tokens")
    if type(context_length) is not int or not isinstance(tokens, _StringArray):
        raise ModelError(
            f"{path} holds no language model.",
            "Choose the model itself: not an adapter, a projector or an image model.",
        )
    if context_length < 1:
        reader.refuse("its context has no length")
    return GgufHeader(
        path=path,
        architecture=architecture,
        context_length=context_length,
        parameters=parameters,
        chat_template=_text(metadata, "tokenizer.chat_template"),
        bos_token=_token(metadata, "bos", tokens, reader),
        eos_token=_token(metadata, "eos", tokens, reader),
        adds_bos=bool(
            metadata.get(
                "tokenizer.ggml.add_bos_token", metadata.get("tokenizer.ggml.model") == "llama"
            )
        ),
        bytes_per_token=_bytes_per_token(metadata, architecture),
        licence=_text(metadata, "general.license"),
    )


def _bytes_per_token(metadata: dict[str, Any], architecture: str) -> int:
    """0 for an architecture without attention."""

    def count(key: str, otherwise: int = 0) -> int:
        value = metadata.get(f"{architecture}.{key}")
        return value if type(value) is int and 0 <= value < 2**20 else otherwise

    heads = count("attention.head_count")
    each = count("embedding_length") // max(1, heads)
    keys = count("attention.key_length", each)
    values = count("attention.value_length", each)
    kept = count("attention.head_count_kv", heads)
    return count("block_count") * kept * (keys + values) * 2


def _text(metadata: dict[str, Any], key: str) -> str:
    value = metadata.get(key)
    return value if isinstance(value, str) else ""


def _token(metadata: dict[str, Any], name: str, tokens: _StringArray, reader: _Reader) -> str:
    index = metadata.get(f"tokenizer.ggml.{name}_token_id")
    if type(index) is not int or not 0 <= index < tokens.count:
        return ""
    return reader.string_at(tokens, index)


@lru_cache
def _block_sizes() -> dict[int, tuple[int, int]]:
    """(elements, bytes) of a block of each tensor type, by its number."""
    from gguf.constants import GGML_QUANT_SIZES

    return {int(kind): sizes for kind, sizes in GGML_QUANT_SIZES.items()}
