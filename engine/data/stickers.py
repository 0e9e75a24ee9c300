"""The embedded stickers: emoji artwork at 64×64 pixels on white, as one sheet, for training a GAN.

`python -m engine.data.stickers FOLDER` makes the sheet again from what engine.data.emoji built.
"""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine import files, folders
from engine.errors import DatasetError

SHEET = folders.RESOURCES / "datasets" / "stickers.webp"
SIZE = 64
COLUMNS = 40
MOST = 1500  # pictures: the sheet stays below 4 MB


def load_stickers() -> NDArray[np.uint8]:
    """All stickers, uint8 (N, 64, 64, 3); raises DatasetError when the sheet is gone."""
    try:
        with Image.open(SHEET, formats=["WEBP"]) as sheet:
            pixels = np.asarray(sheet.convert("RGB"))
    except OSError as error:
        raise DatasetError(f"{SHEET} cannot be read.", "Install the studio again.") from error
    rows = pixels.reshape(-1, SIZE, COLUMNS, SIZE, 3).swapaxes(1, 2).reshape(-1, SIZE, SIZE, 3)
    drawn = (rows < 255).any(axis=(1, 2, 3))  # the last row may end in white places
    return rows[drawn]


def pack(folder: Path, sheet: Path) -> int:
    """Write the pictures that folder/captions.jsonl names, up to MOST of them; returns how many."""
    lines = (folder / "captions.jsonl").read_text(encoding="utf-8").splitlines()
    names = list(dict.fromkeys(json.loads(line)["file"] for line in lines))
    chosen = np.linspace(0, len(names) - 1, min(MOST, len(names))).round().astype(int)
    names = [names[index] for index in chosen]
    rows = -(-len(names) // COLUMNS)
    canvas = Image.new("RGB", (COLUMNS * SIZE, rows * SIZE), "white")
    for index, name in enumerate(names):
        row, column = divmod(index, COLUMNS)
        with Image.open(folder / name, formats=["PNG"]) as picture:
            small = picture.convert("RGB").resize((SIZE, SIZE), Image.Resampling.LANCZOS)
        canvas.paste(small, (column * SIZE, row * SIZE))
    buffer = io.BytesIO()
    canvas.save(buffer, "WEBP", lossless=True, quality=100, method=6)
    files.write_bytes(sheet, buffer.getvalue())
    return len(names)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m engine.data.stickers", description=__doc__)
    parser.add_argument("folder", type=Path, help="what python -m engine.data.emoji built")
    pack(parser.parse_args().folder, SHEET)


if __name__ == "__main__":
    main()
