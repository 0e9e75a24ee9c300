"""What tasks read from the canvas: kept by content, so that every record can be made again."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

from PIL import Image

from engine import files, folders
from engine.errors import FileError

DIGITS = 16
"""Of the SHA-256, in the name of the file."""


def keep_picture(image: Image.Image) -> Path:
    """The path of `image` as a PNG; one that is there already is not written again.

    Raises FileError.
    """
    stream = io.BytesIO()
    image.save(stream, "PNG", compress_level=1)  # read once or twice: quick is better than small
    return _keep(stream.getvalue())


def keep_file(path: Path) -> Path:
    """The path of a copy of the picture at `path`, with all that it says of itself.

    Raises FileError.
    """
    try:
        return _keep(path.read_bytes())
    except OSError as error:
        reason = error.strerror or str(error)
        raise FileError(
            f"{path} could not be read: {reason}.", "Choose another picture."
        ) from error


def _keep(data: bytes) -> Path:
    path = folders.inputs() / f"{hashlib.sha256(data).hexdigest()[:DIGITS]}.png"
    if not path.exists():
        files.write_bytes(path, data)
    return path
