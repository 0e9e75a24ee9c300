"""The artwork that engine.data.emoji built: which picture shows which concept, in which style."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.data.captioned_images import INDEX
from engine.data.recolor import COLORS
from engine.errors import DatasetError
from engine.gate.images import open_image

SIZE = 64  # pixels: what the evaluator looks at
COLOR_NAMES = frozenset(color.name for color in COLORS)
CHINESE = re.compile(r"[一-鿿]")

Pictures = NDArray[np.uint8]  # (N, SIZE, SIZE, 3)


@dataclass(frozen=True)
class Name:
    """What a concept is called: the caption that stands most often under its own picture."""

    english: str
    chinese: str


@dataclass(frozen=True)
class Artwork:
    """All pictures of a data set, each known by concept (a Unicode code), style and colour."""

    folder: Path
    files: tuple[str, ...]
    concepts: tuple[str, ...]
    styles: tuple[str, ...]
    colors: tuple[str, ...]
    """"" where the picture is as it was drawn, else what it was recoloured to."""
    names: dict[str, Name]
    captions: frozenset[str]
    """Every caption of every picture, in lower case."""

    @cached_property
    def pictures(self) -> Pictures:
        return np.stack([small(self.open(index)) for index in range(len(self.files))])

    def open(self, index: int) -> Image.Image:
        """A picture in its full size."""
        return open_image(self.folder / self.files[index])

    @cached_property
    def codes(self) -> dict[str, str]:
        """The concept that an English name means."""
        return {name.english: code for code, name in self.names.items()}

    def indices_of(self, concept: str) -> list[int]:
        """Its pictures as they were drawn, one in each style."""
        return [
            index
            for index, (other, color) in enumerate(zip(self.concepts, self.colors, strict=True))
            if other == concept and not color
        ]


def read_artwork(folder: Path) -> Artwork:
    """What `folder`/captions.jsonl lists, each picture once; raises DatasetError."""
    index = folder / INDEX
    if not index.is_file():
        raise DatasetError(f"There is no {index}.", "Build it: python -m engine.data.emoji.")
    lines = index.read_text(encoding="utf-8").splitlines()
    entries: dict[str, list[str]] = {
        entry["file"]: entry["captions"] for entry in map(json.loads, lines)
    }
    described = {file: describe(file) for file in entries}
    return Artwork(
        folder=folder,
        files=tuple(entries),
        concepts=tuple(concept for concept, _, _ in described.values()),
        styles=tuple(style for _, style, _ in described.values()),
        colors=tuple(color for _, _, color in described.values()),
        names={
            concept: name_of(entries[file])
            for file, (concept, _, color) in reversed(described.items())  # the first style's wins
            if not color
        },
        captions=frozenset(text.lower() for texts in entries.values() for text in texts),
    )


def describe(file: str) -> tuple[str, str, str]:
    """Concept, style and colour ("" for its own) from images/STYLE/CODE[-COLOR].png."""
    path = PurePosixPath(file)
    code, _, last = path.stem.rpartition("-")
    if code and last in COLOR_NAMES:
        return code, path.parent.name, last
    return path.stem, path.parent.name, ""


def name_of(captions: list[str]) -> Name:
    """The most frequent caption, and the most frequent one with a Chinese sign in it."""
    chinese = [caption for caption in captions if CHINESE.search(caption)]
    most = {text: count for text, count in Counter(captions).items() if text not in chinese}
    return Name(_first_of_most(most), _first_of_most(Counter(chinese)))


def _first_of_most(counts: dict[str, int]) -> str:
    return max(counts, key=counts.__getitem__, default="")


def small(picture: Image.Image) -> NDArray[np.uint8]:
    """(SIZE, SIZE, 3), as the evaluator sees any picture."""
    resized = picture.convert("RGB").resize((SIZE, SIZE), Image.Resampling.LANCZOS)
    return np.asarray(resized, np.uint8)


def as_batch(pictures: Pictures) -> Any:
    """A float tensor (N, 3, SIZE, SIZE) in 0…1."""
    import torch

    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
