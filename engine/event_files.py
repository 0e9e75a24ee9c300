"""Event files as TensorBoard reads them: records of protocol buffers, written out by hand.

A record is its length, a checksum of that, the data and a checksum of the data (TFRecord). The data
is an Event of tensorflow/core/util/event.proto, of which only what a run needs is written here, so
that no library is needed for it.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from functools import cache

from PIL import Image

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # wire types
CASTAGNOLI = 0x82F63B78


def version_event(time: float) -> bytes:
    """The first of every file."""
    return _event(time, 0, _bytes(3, b"brain.Event:2"))


def scalars_event(time: float, step: int, values: Mapping[str, float]) -> bytes:
    summary = b"".join(
        _bytes(1, _bytes(1, name.encode()) + _key(2, FIXED32) + struct.pack("<f", value))
        for name, value in values.items()
    )
    return _event(time, step, _bytes(5, summary))


def image_event(time: float, step: int, name: str, png: bytes) -> bytes:
    with Image.open(io.BytesIO(png)) as image:
        width, height, channels = *image.size, len(image.getbands())
    picture = _number(1, height) + _number(2, width) + _number(3, channels) + _bytes(4, png)
    return _event(time, step, _bytes(5, _bytes(1, _bytes(1, name.encode()) + _bytes(4, picture))))


def text_event(time: float, step: int, name: str, text: str) -> bytes:
    """A string tensor, as the text dashboard wants it."""
    tensor = _number(1, 7) + _bytes(8, text.encode())  # DT_STRING
    plugin = _bytes(1, _bytes(1, b"text"))
    value = _bytes(1, name.encode()) + _bytes(9, plugin) + _bytes(8, tensor)
    return _event(time, step, _bytes(5, _bytes(1, value)))


def record(data: bytes) -> bytes:
    """`data` as it stands in a file."""
    length = struct.pack("<Q", len(data))
    return length + _checksum(length) + data + _checksum(data)


def _event(time: float, step: int, what: bytes) -> bytes:
    return _key(1, FIXED64) + struct.pack("<d", time) + _number(2, step) + what


def _number(field: int, value: int) -> bytes:
    return _key(field, VARINT) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _key(field, BYTES) + _varint(len(value)) + value


def _key(field: int, wire_type: int) -> bytes:
    return _varint(field << 3 | wire_type)


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def _checksum(data: bytes) -> bytes:
    """CRC-32C, turned and shifted as TFRecord wants it."""
    table, crc = _table(), 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
    return struct.pack("<I", masked)


@cache
def _table() -> tuple[int, ...]:
    def entry(value: int) -> int:
        for _ in range(8):
            value = value >> 1 ^ (CASTAGNOLI if value & 1 else 0)
        return value

    return tuple(entry(value) for value in range(256))
