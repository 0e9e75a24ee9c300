"""Which training images are most like a picture, and how far they are from each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Rows = NDArray[np.float32]

FINEST = 32  # pixels: larger images are compared at half their size, in a quarter of the time
SAMPLE = 256  # training images whose own nearest neighbours tell what is usual
COPY = 0.5  # of the usual distance: nearer than this, a picture is called close to a copy


@dataclass(frozen=True)
class Neighbours:
    """The nearest images by index, with their distances: root mean square over pixels, 0 to 1."""

    indices: NDArray[np.int64]
    distances: NDArray[np.float64]


class TrainingImages:
    """A dataset, ready to be compared with."""

    def __init__(self, images: Pixels) -> None:
        self.images = images
        self._rows = _rows(images)
        self._lengths = np.einsum("ij,ij->i", self._rows, self._rows)
        self._usual: float | None = None

    def nearest(self, picture: Pixels, count: int) -> Neighbours:
        """To one picture (H, W, C) of the same size."""
        squared = self._squared(_rows(picture[np.newaxis]))[0]
        count = min(count, len(squared))
        found = np.argpartition(squared, count - 1)[:count]
        found = found[np.argsort(squared[found], kind="stable")]
        return Neighbours(found.astype(np.int64), self._distances(squared[found]))

    def usual_distance(self) -> float:
        """The median distance of a training image to the nearest other one.

        Of some, spread evenly. Images that are there twice do not count: their distance is none.
        """
        if self._usual is None:
            places = np.linspace(0, len(self.images) - 1, min(SAMPLE, len(self.images)))
            chosen = np.unique(places.astype(np.int64))
            squared = self._squared(self._rows[chosen])
            squared[np.arange(len(chosen)), chosen] = np.inf
            least = self._distances(squared.min(axis=1))
            apart = least[np.isfinite(least) & (least > 1e-3)]
            self._usual = float(np.median(apart)) if len(apart) else 0.0
        return self._usual

    def _squared(self, rows: Rows) -> NDArray[np.float32]:
        """|a - b|² of each of `rows` to each training image, as |a|² + |b|² - 2ab."""
        own = np.einsum("ij,ij->i", rows, rows)
        result: NDArray[np.float32] = own[:, None] + self._lengths - 2 * (rows @ self._rows.T)
        return np.maximum(result, 0)

    def _distances(self, squared: NDArray[np.float32]) -> NDArray[np.float64]:
        distances: NDArray[np.float64] = np.sqrt(squared / np.float64(self._rows.shape[1]))
        return distances


def verdict(distance: float, usual: float) -> str:
    """In words: whether a picture that is this far from the nearest training image is a copy."""
    if usual == 0.0:
        return "The training images are too few, or too much alike, to say what is usual."
    share = distance / usual
    if share < COPY:
        return f"Close to a copy: {share:.0%} of the usual distance between training images."
    if share < 1.0:
        return f"Nearer than usual, no copy: {share:.0%} of the usual distance."
    return f"No copy: {share:.1f} times the usual distance between training images."


def _rows(images: Pixels) -> Rows:
    """(N, H, W, C) as rows of numbers from 0 to 1."""
    if images.shape[1] > FINEST and images.shape[1] % 2 == 0:
        half = images.reshape(len(images), images.shape[1] // 2, 2, images.shape[2] // 2, 2, -1)
        images = half.mean(axis=(2, 4), dtype=np.float32).astype(np.uint8)
    rows: Rows = images.reshape(len(images), -1).astype(np.float32) / np.float32(255)
    return rows
