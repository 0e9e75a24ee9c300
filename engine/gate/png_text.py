"""Reads the texts of a PNG from its chunks alone: no pixel is decoded, nothing grows endlessly."""

from __future__ import annotations

import struct
import zlib
from typing import BinaryIO

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST_TEXT = 16_000_000
"""Bytes of text in one file, unpacked; a ComfyUI workflow is rarely beyond one million."""
MOST_CHUNKS = 200_000


def read_png_text(stream: BinaryIO) -> dict[str, str]:
    """The texts by keyword, of the chunks tEXt, zTXt and iTXt; a file cut short gives what it has.

    `stream` stands behind the signature. Raises ValueError for what is damaged or too long.
    """
    texts: dict[str, str] = {}
    left = MOST_TEXT
    for _ in range(MOST_CHUNKS):
        head = stream.read(8)
        if len(head) < 8 or head[4:] == b"IEND":
            return texts
        length, kind = struct.unpack(">I4s", head)
        if kind not in _READERS:
            stream.seek(length + 4, 1)
            continue
        if length > left:
            raise ValueError("its texts are too long")
        body, checksum = stream.read(length), stream.read(4)
        if len(checksum) < 4:
            return texts
        if zlib.crc32(kind + body) != int.from_bytes(checksum, "big"):
            raise ValueError("its texts are damaged")
        keyword, _, rest = body.partition(b"\0")
        text = _READERS[kind](rest, left)
        left -= len(text)
        texts[keyword.decode("latin-1")] = text
    raise ValueError("it has too many parts")


def _plain(body: bytes, most: int) -> str:
    return body.decode("latin-1")


def _packed(body: bytes, most: int) -> str:
    return _unpack(body[1:], most).decode("latin-1")


def _international(body: bytes, most: int) -> str:
    packed = body[:1] == b"\1"
    _language, _, rest = body[2:].partition(b"\0")
    _translated, _, text = rest.partition(b"\0")
    return (_unpack(text, most) if packed else text).decode("utf-8", "replace")


def _unpack(data: bytes, most: int) -> bytes:
    unpacking = zlib.decompressobj()
    try:
        data = unpacking.decompress(data, most)
    except zlib.error as error:
        raise ValueError("its texts are damaged") from error
    if unpacking.unconsumed_tail:
        raise ValueError("its texts are too long")
    return data


_READERS = {b"tEXt": _plain, b"zTXt": _packed, b"iTXt": _international}
