"""The gate for pictures: three formats, a cap on pixels, EXIF rotation, clear errors."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from PIL import ExifTags, Image, ImageOps

from engine.errors import FileError
from engine.gate.exif_text import texts_in
from engine.gate.png_text import SIGNATURE, read_png_text

FORMATS = ("PNG", "JPEG", "WEBP")
MAXIMUM_PIXELS = 2**26  # 8192 × 8192
XMP_KEYWORD = "XML:com.adobe.xmp"
"""The name under which a PNG keeps it."""

# What Pillow's decoders raise on a damaged file (found by flipping bits in the tests).
_DAMAGED = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    OverflowError,
    MemoryError,
    struct.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)

Result = TypeVar("Result")


def open_image(path: Path) -> Image.Image:
    """The picture at `path`, upright and in memory: RGBA where it can be seen through, else RGB.

    Of an animation, the first frame. Raises FileError.
    """
    return _read(path, _upright)


def read_size(path: Path) -> tuple[int, int]:
    """Width and height in pixels as the picture is shown; no pixel is decoded. Raises FileError."""

    def size_of(image: Image.Image) -> tuple[int, int]:
        width, height = image.size
        if "exif" not in image.info:  # to look for it behind the pixels would decode them
            return width, height
        turned = image.getexif().get(ExifTags.Base.Orientation, 1) in (5, 6, 7, 8)
        return (height, width) if turned else (width, height)

    return _read(path, size_of)


def count_frames(path: Path) -> int:
    """How many pictures an animated PNG or WebP shows one after the other. Raises FileError."""

    def count(image: Image.Image) -> int:
        # What a JPEG holds besides is for other programs: its depth, or a small copy of it.
        return 1 if image.format in ("JPEG", "MPO") else int(getattr(image, "n_frames", 1))

    return _read(path, count)


def read_mode(path: Path) -> str:
    """How the file keeps its pixels, in Pillow's words: L, P, RGB, RGBA, CMYK, …; raises
    FileError. No pixel is decoded."""
    return _read(path, lambda image: image.mode)


def read_text(path: Path) -> dict[str, str]:
    """The texts stored beside the pixels, by the keyword a PNG has for them; raises FileError.

    Of a JPEG or WebP: its XMP, the comment in its EXIF as `parameters`, and what ComfyUI puts
    there. No pixel is decoded for it.
    """
    try:
        with open(path, "rb") as stream:
            if stream.read(len(SIGNATURE)) == SIGNATURE:
                return read_png_text(stream)
    except (OSError, ValueError) as error:
        raise _cannot_read(path, error) from error
    return _read(path, _texts)


def _texts(image: Image.Image) -> dict[str, str]:
    xmp = image.info.get("xmp", b"")
    texts = {XMP_KEYWORD: xmp.decode("utf-8", "replace")} if isinstance(xmp, bytes) else {}
    return texts | texts_in(image.getexif())


def _read(path: Path, read: Callable[[Image.Image], Result]) -> Result:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of damaged EXIF, which we live without
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as image:
                width, height = image.size
                if width * height > MAXIMUM_PIXELS:
                    raise Image.DecompressionBombError(f"{width}×{height}")
                return read(image)
    except _DAMAGED as error:
        raise _cannot_read(path, error) from error


def _upright(image: Image.Image) -> Image.Image:
    image.load()
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I;16"):  # Pillow would clip 16 bits to 8, not scale them
        upright = upright.point(lambda value: value / 256).convert("L")
    return upright.convert("RGBA" if upright.has_transparency_data else "RGB")


def _cannot_read(path: Path, error: BaseException) -> FileError:
    if isinstance(error, FileNotFoundError):
        return FileError(f"There is no picture at {path}.", "Check the path, or choose another.")
    if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
        return FileError(
            f"{path} has more pixels than the {MAXIMUM_PIXELS // 1_000_000} million allowed.",
            "Make it smaller with another program first.",
        )
    if isinstance(error, OSError) and error.errno is not None:
        reason = error.strerror or str(error)
        return FileError(
            f"{path} could not be read: {reason}.", "Check the path and its permissions."
        )
    return FileError(
        f"{path} is not a readable picture: it is damaged, cut short or of another format.",
        "Use a PNG, JPEG or WebP file that other programs can open.",
    )
