"""Pixels as PNG and back, so that what was painted comes back bit for bit.

Painting happens on premultiplied pixels, a PNG holds straight ones. Both ways round to the nearest
value, which brings every premultiplied pixel back (the test tries all of them); a colour where
nothing can be seen does not exist.
"""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.gate.images import MAXIMUM_PIXELS

Pixels = NDArray[np.uint8]

STRIP = 256
"""Rows that are worked on at a time, so that no second picture has to fit into memory."""
LEVEL = 1  # zlib's: twice as fast as the next, for a few percent of size
SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, RGBA = 0, 2, 6  # colour types of PNG
UP = 2  # the filter that stores what differs from the row above


def encode_layer(pixels: Pixels) -> bytes:
    """Premultiplied RGBA of shape (H, W, 4) as a PNG."""
    if bool((pixels[:, :, 3] == 255).all()):
        return _png(pixels.shape[1], pixels.shape[0], RGB, (s[:, :, :3] for s in _strips(pixels)))
    return _png(pixels.shape[1], pixels.shape[0], RGBA, (straight(s) for s in _strips(pixels)))


def encode_mask(mask: Pixels) -> bytes:
    """Values of shape (H, W) as a grey PNG."""
    return _png(mask.shape[1], mask.shape[0], GREY, (s[:, :, None] for s in _strips(mask)))


def decode_layer(png: bytes) -> Pixels:
    """Premultiplied RGBA of shape (H, W, 4); raises ValueError."""
    pixels = _decode(png, "RGBA")
    for strip in _strips(pixels):
        strip[:] = premultiplied(strip)
    return pixels


def decode_mask(png: bytes) -> Pixels:
    """Values of shape (H, W); raises ValueError."""
    return _decode(png, "L")


def digest(pixels: Pixels) -> str:
    """SHA-256 over the shape and the values: equal pictures have the same, however encoded."""
    known = hashlib.sha256(repr(pixels.shape).encode())
    for strip in _strips(pixels):
        known.update(np.ascontiguousarray(strip).data)
    return known.hexdigest()


def straight(pixels: Pixels) -> Pixels:
    """Premultiplied to straight RGBA, rounded to the nearest."""
    alpha = pixels[:, :, 3:].astype(np.uint16)
    colour = pixels[:, :, :3].astype(np.uint16) * 255 + alpha // 2
    colour //= np.maximum(alpha, 1)
    return np.concatenate([np.minimum(colour, 255).astype(np.uint8), pixels[:, :, 3:]], axis=2)


def premultiplied(pixels: Pixels) -> Pixels:
    """Straight to premultiplied RGBA, rounded to the nearest."""
    colour = pixels[:, :, :3].astype(np.uint16) * pixels[:, :, 3:] + 127
    colour //= 255
    return np.concatenate([colour.astype(np.uint8), pixels[:, :, 3:]], axis=2)


def _strips(pixels: Pixels) -> Iterator[Pixels]:
    for top in range(0, len(pixels), STRIP):
        yield pixels[top : top + STRIP]


def _png(width: int, height: int, colour_type: int, strips: Iterator[Pixels]) -> bytes:
    """Written here because libraries try five filters on every row, which takes five times as long.

    The format is that of the W3C's PNG specification, sections 5, 9 and 10.
    """
    packer = zlib.compressobj(LEVEL)
    packed = []
    above: Pixels | None = None
    for strip in strips:
        rows = np.ascontiguousarray(strip).reshape(len(strip), -1)
        filtered = np.empty((rows.shape[0], rows.shape[1] + 1), np.uint8)
        filtered[:, 0] = UP
        filtered[0, 1:] = rows[0] if above is None else rows[0] - above
        np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
        packed.append(packer.compress(filtered.data))
        above = rows[-1]
    packed.append(packer.flush())
    header = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", b"".join(packed)), (b"IEND", b""))
    return SIGNATURE + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return b"".join(
        (
            struct.pack(">I", len(data)),
            name,
            data,
            struct.pack(">I", zlib.crc32(data, zlib.crc32(name))),
        )
    )


def size_of(png: bytes) -> tuple[int, int]:
    """Width and height as the header tells them; raises ValueError."""
    if len(png) < 24 or not png.startswith(SIGNATURE) or png[12:16] != b"IHDR":
        raise ValueError("it is no PNG")
    width, height = struct.unpack(">II", png[16:24])
    if not (width and height) or width * height > MAXIMUM_PIXELS:
        raise ValueError(f"it claims {width} × {height} pixels")
    return width, height


def _decode(png: bytes, mode: str) -> Pixels:
    size_of(png)  # before Pillow is asked for the memory
    try:
        with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
            image.load()
            return np.array(image.convert(mode))
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, OverflowError) as error:
        raise ValueError(f"it is damaged ({error})") from error
    except (struct.error, zlib.error, Image.DecompressionBombError) as error:
        raise ValueError(f"it is damaged ({error})") from error
