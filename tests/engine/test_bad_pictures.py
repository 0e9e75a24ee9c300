"""Pictures cut short, flipped, renamed, endless or hostile: settings, nothing, or a clear error."""

from __future__ import annotations

import json
import random
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from engine import metadata
from engine.errors import EngineError, FileError
from engine.gate.exif_text import decode_comment
from engine.gate.images import open_image, read_text
from engine.generators.text_to_image import TextToImage
from engine.metadata import TaskRecord
from engine.picture_settings import Settings, settings_in

SIGNATURE = b"\x89PNG\r\n\x1a\n"
NOISE = Image.effect_noise((40, 30), 60).convert("RGB")


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def told_by(path: Path) -> Settings | FileError | None:
    """Whatever there is to say of the file; anything but a FileError fails the test."""
    try:
        return settings_in(path)
    except FileError as error:
        assert path.name in error.message and error.hint
        return error


@pytest.fixture(params=["own.png", "own.webp", "own.jpg", "theirs.png", "theirs.jpg", "comfy.webp"])
def picture(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A picture that tells its settings, of ours or of another program."""
    path = tmp_path / str(request.param)
    text = "a cat\nNegative prompt: b\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 5"
    if path.stem == "own":
        metadata.write_picture(path, NOISE, metadata.record_of(TextToImage(prompt="a", seed=5)))
    elif path.suffix == ".png":
        chunks = PngImagePlugin.PngInfo()
        chunks.add_text("parameters", text, zip=True)
        chunks.add_itxt("prompt", json.dumps({"1": {"class_type": "X", "inputs": {}}}))
        NOISE.save(path, pnginfo=chunks)
    else:
        exif = Image.Exif()
        exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + text.encode("utf-16-be")
        exif[0x0110] = "prompt:{}"
        NOISE.save(path, exif=exif)
    return path


def test_the_picture_itself_tells_its_seed(picture: Path) -> None:
    settings = settings_in(picture)
    assert settings is not None and settings.values["seed"] == 5


def test_a_picture_cut_short_tells_what_is_left_or_a_clear_error(picture: Path) -> None:
    data = picture.read_bytes()
    for length in range(0, len(data), 37):
        picture.write_bytes(data[:length])
        told_by(picture)


def test_flipped_bits_are_settings_nothing_or_a_clear_error(picture: Path) -> None:
    data, chance = picture.read_bytes(), random.Random(1)
    for _ in range(250):
        flipped = bytearray(data)
        for _ in range(chance.randint(1, 8)):
            # Half of them where the texts are.
            most = len(data) if chance.random() < 0.5 else min(len(data), 700)
            flipped[chance.randrange(most)] ^= 1 << chance.randrange(8)
        picture.write_bytes(flipped)
        told_by(picture)


@pytest.mark.parametrize(
    "data", [b"", SIGNATURE, b"<html>", b"%PDF-1.4", b"SIMPLE  =", b"II*\0", b"GIF89a", b"\0" * 99]
)
def test_what_is_no_picture_tells_nothing(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "renamed.png"
    path.write_bytes(data)
    told = told_by(path)
    assert isinstance(told, FileError) or (data == SIGNATURE and told is None)


def test_a_text_that_is_damaged_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("parameters", "a cat\nSteps: 20, Seed: 5")
    NOISE.save(path, pnginfo=chunks)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"Seed: 5", b"Seed: 6"))
    assert isinstance(told_by(path), FileError)


def animation(frames: int) -> bytes:
    """An APNG of 2×2 pixels; every frame but the first is a chunk of nothing."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0))
    pixels = zlib.compress((b"\0" + b"\xff\0\0" * 2) * 2)
    parts = [SIGNATURE, header, chunk(b"acTL", struct.pack(">II", frames, 0))]
    number = 0
    for frame in range(frames):
        control = struct.pack(">IIIIIHHBB", number, 2, 2, 0, 0, 1, 10, 0, 0)
        parts.append(chunk(b"fcTL", control))
        number += 1
        if frame == 0:
            parts.append(chunk(b"IDAT", pixels))
        else:
            parts.append(chunk(b"fdAT", struct.pack(">I", number) + pixels))
            number += 1
    settings = chunk(b"tEXt", b"parameters\0a cat\nSteps: 20, Seed: 5")
    return b"".join([*parts, settings, chunk(b"IEND", b"")])


def test_an_animation_of_ten_thousand_frames_is_its_first(tmp_path: Path) -> None:
    path = tmp_path / "endless.png"
    path.write_bytes(animation(10_000))
    assert open_image(path).getpixel((1, 1)) == (255, 0, 0)
    settings = settings_in(path)
    assert settings is not None and settings.values["seed"] == 5


def test_texts_without_end_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "many.png"
    start = animation(1)[:-12]
    path.write_bytes(start + chunk(b"tEXt", b"k\0" + b"a" * 999_000) * 20)
    assert isinstance(told_by(path), FileError)
    path.write_bytes(start + chunk(b"xxXx", b"") * 250_000)
    assert isinstance(told_by(path), FileError)


def test_a_bomb_of_text_takes_no_memory(tmp_path: Path) -> None:
    """In a process that may not have the memory that it would unpack to."""
    path = tmp_path / "bomb.png"
    body = b"parameters\0\0" + zlib.compress(b"a" * 200_000_000, 1)
    path.write_bytes(animation(1)[:-12] + chunk(b"zTXt", body) + chunk(b"IEND", b""))
    program = (
        "import resource, sys\nfrom pathlib import Path\n"
        "from engine.errors import FileError\nfrom engine.picture_settings import settings_in\n"
        "pages = int(Path('/proc/self/statm').read_text().split()[0])\n"
        "most = pages * resource.getpagesize() + 100_000_000\n"
        "resource.setrlimit(resource.RLIMIT_AS, (most, most))\n"
        "try:\n    settings_in(Path(sys.argv[1]))\n"
        "except FileError as error:\n    print(error.message)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "bomb.png" in done.stdout


@pytest.mark.parametrize(
    "name", ["../../x", "/etc/passwd", r"\\server\share\x.png", "C:", "nul", "a\0b", "..", "~/x"]
)
@pytest.mark.parametrize("field", ["image", "mask", "model"])
def test_a_file_named_by_a_stranger_leads_nowhere(field: str, name: str) -> None:
    values = {"prompt": "a", "image": "a.png", "mask": "b.png", field: name}
    record = TaskRecord("inpaint", values)
    try:
        told = str(record.task().to_dict()[field])
    except EngineError:
        return
    assert not set("/\\\0") & set(told) and told not in (".", "..")


@given(st.binary(max_size=60))
def test_any_comment_is_some_text(comment: bytes) -> None:
    for start in (b"", b"UNICODE\0", b"ASCII\0\0\0", b"\0" * 8):
        assert isinstance(decode_comment(start + comment), str)


@given(st.text(alphabet=st.characters(min_codepoint=1, exclude_categories=("Cs",)), min_size=1))
def test_a_comment_comes_back_as_it_was_written(text: str) -> None:
    told = decode_comment(b"UNICODE\0" + ("Steps: " + text).encode("utf-16-be"))
    assert told == "Steps: " + text.strip("\0")


def test_a_missing_picture_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no picture at"):
        settings_in(tmp_path / "nothing.png")
    with pytest.raises(FileError, match="could not be read"):
        read_text(tmp_path)
