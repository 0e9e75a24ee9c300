"""Which kind of thing each image of a dataset shows, where somebody sorted them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.data import idx
from engine.errors import DatasetError

MOST_CLASSES = 1000


@dataclass(frozen=True)
class Labels:
    """The names of the classes, and the number (N,) of each image's; empty and None without."""

    classes: tuple[str, ...] = ()
    of_images: NDArray[np.int64] | None = None


def numbered(kinds: NDArray[np.uint8]) -> Labels:
    """Of classes that have numbers (N,) only, such as those of digits."""
    return Labels(tuple(map(str, range(int(kinds.max()) + 1))), kinds.astype(np.int64))


def beside(images: Path, count: int) -> Labels:
    """What the file of labels beside an IDX file of `count` images says.

    None where there is no such file or it is not of these images: they can be learned without.
    """
    path = idx.labels_path(images)
    if path == images or not path.is_file():
        return Labels()
    with suppress(DatasetError):
        kinds = idx.read(path)
        if kinds.shape == (count,):
            return numbered(kinds)
    return Labels()


def of_folders(folder: Path, paths: Sequence[Path]) -> Labels:
    """The sub-folders of `folder` are the classes, if all images lie in at least two of them.

    `paths` are those of the images; what is deeper belongs to the sub-folder directly in `folder`.
    """
    parts = [path.relative_to(folder).parts for path in paths]
    classes = tuple(sorted({place[0] for place in parts}))
    if any(len(place) < 2 for place in parts) or not 2 <= len(classes) <= MOST_CLASSES:
        return Labels()
    number = {name: index for index, name in enumerate(classes)}
    return Labels(classes, np.array([number[place[0]] for place in parts], np.int64))
