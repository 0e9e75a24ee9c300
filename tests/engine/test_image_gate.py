"""The gate for pictures, with good, turned, cut, flipped, huge and foreign files."""

from __future__ import annotations

import io
import random
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.errors import FileError
from engine.gate.images import count_frames, open_image, read_text

NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 255, (24, 32, 3), np.uint8))


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)  # type: ignore[arg-type]
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_opens_the_three_formats_whatever_their_name(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "数据 é　😀.txt"
    path.write_bytes(encoded(NOISE, kind))
    image = open_image(path)
    assert (image.size, image.mode) == ((32, 24), "RGB")
    path.unlink()
    assert image.getpixel((0, 0)), "it is in memory"


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("1", "RGB"), ("L", "RGB"), ("P", "RGB"), ("LA", "RGBA"), ("RGBA", "RGBA"), ("I;16", "RGB")],
)
def test_every_mode_becomes_rgb_or_rgba(tmp_path: Path, mode: str, expected: str) -> None:
    NOISE.convert("L").convert(mode).save(tmp_path / "picture.png")
    assert open_image(tmp_path / "picture.png").mode == expected


def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path: Path) -> None:
    Image.fromarray(np.full((2, 2), 0x8000, np.uint16)).save(tmp_path / "deep.png")
    assert open_image(tmp_path / "deep.png").getpixel((0, 0)) == (128, 128, 128)


def test_a_transparent_palette_stays_transparent(tmp_path: Path) -> None:
    image = Image.new("P", (2, 2), 0)
    image.save(tmp_path / "picture.png", transparency=0)
    assert open_image(tmp_path / "picture.png").getpixel((0, 0)) == (0, 0, 0, 0)


def test_a_photo_is_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    NOISE.save(tmp_path / "photo.jpg", exif=exif)
    assert open_image(tmp_path / "photo.jpg").size == (24, 32)


def test_of_an_animation_the_first_frame_is_taken(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 4), (index, 0, 0)) for index in range(10)]
    frames[0].save(tmp_path / "moving.png", save_all=True, append_images=frames[1:])
    assert open_image(tmp_path / "moving.png").getpixel((0, 0)) == (0, 0, 0)


def test_the_frames_of_an_animation_are_counted_and_the_parts_of_a_photo_are_not(
    tmp_path: Path,
) -> None:
    frames = [Image.new("RGB", (4, 4), (60 * index, 0, 0)) for index in range(4)]
    for name, count in (("moving.png", 4), ("moving.webp", 4), ("photo.mpo", 1), ("still.jpg", 1)):
        options = {} if name == "still.jpg" else {"save_all": True, "append_images": frames[1:]}
        frames[0].save(tmp_path / name, **options)
        assert count_frames(tmp_path / name) == count, name


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "PPM", "ICO", "TGA", "EPS", "PDF"])
def test_other_formats_are_refused_whatever_their_name(tmp_path: Path, kind: str) -> None:
    (tmp_path / "picture.png").write_bytes(encoded(NOISE, kind))
    with pytest.raises(FileError, match=r"picture\.png"):
        open_image(tmp_path / "picture.png")


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"<html>", b"<svg/>", b"SIMPLE  = T"])
def test_what_is_no_picture_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "picture.png").write_bytes(data)
    with pytest.raises(FileError, match=r"picture\.png"):
        open_image(tmp_path / "picture.png")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_cut_short_is_refused(tmp_path: Path, kind: str) -> None:
    data, path = encoded(NOISE, kind), tmp_path / "cut.png"
    for length in range(0, len(data) - 24, 37):
        path.write_bytes(data[:length])
        with pytest.raises(FileError, match=r"cut\.png"):
            open_image(path)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_flipped_bits_give_a_picture_or_a_clear_error(tmp_path: Path, kind: str) -> None:
    data, path, chance = encoded(NOISE, kind), tmp_path / "flipped.png", random.Random(1)
    for _ in range(300):
        flipped = bytearray(data)
        for _ in range(chance.randint(1, 8)):
            flipped[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(flipped)
        for read in (open_image, read_text):
            try:
                read(path)
            except FileError as error:
                assert "flipped.png" in error.message


def png(width: int, height: int, *more: bytes) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(b"\0"))
    texts = b"".join(chunk(b"zTXt", body) for body in more)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + texts + pixels + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "size", [(20_000, 20_000), (12_000, 12_000), (9_000, 8_000), (2**31 - 1, 1)]
)
def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path, size: tuple[int, int]) -> None:
    (tmp_path / "bomb.png").write_bytes(png(*size))
    with pytest.raises(FileError, match="more pixels"):
        open_image(tmp_path / "bomb.png")


def test_a_text_bomb_is_refused(tmp_path: Path) -> None:
    body = b"atelier\0\0" + zlib.compress(b"a" * 50_000_000)
    (tmp_path / "bomb.png").write_bytes(png(1, 1, body))
    with pytest.raises(FileError, match=r"bomb\.png"):
        read_text(tmp_path / "bomb.png")


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no picture at"):
        open_image(tmp_path / "nothing.png")
    with pytest.raises(FileError, match="could not be read"):
        open_image(tmp_path)
