"""What is in a dataset of images: sizes, modes, broken files, doubles, captions."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.errors import FileError

SHOWN = 64  # images of the sample grid
CELL = 64  # pixels of one of them
LISTED = 200  # names of each kind that a report holds
NEAR = 3  # of 64 bits: pictures whose fingerprints are no farther apart are looked at closely
CLOSE = 0.04  # the root mean square over small pictures, 0 to 1, below which two are near doubles
SMALL = 16  # pixels
MOST_COMPARED = 20_000  # images among which near doubles are looked for


@dataclass
class Inspection:
    """Filled image by image; `report` is the whole of it as JSON."""

    name: str
    count: int = 0
    sizes: Counter[str] = field(default_factory=Counter)
    modes: Counter[str] = field(default_factory=Counter)
    broken: list[tuple[str, str]] = field(default_factory=list)
    captioned: int = 0
    captions: list[tuple[str, str]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    _hashes: dict[bytes, list[int]] = field(default_factory=lambda: defaultdict(list))
    _prints: list[int] = field(default_factory=list)
    _small: list[NDArray[np.float32]] = field(default_factory=list)

    def add(self, name: str, image: Image.Image, mode: str, caption: str | None = None) -> None:
        """`mode` is how the file keeps it; `image` may be converted already."""
        number = self.count
        self.count += 1
        self.names.append(name)
        self.sizes[f"{image.width}×{image.height}"] += 1
        self.modes[mode] += 1
        pixels = f"{image.mode} {image.size}".encode() + image.tobytes()
        self._hashes[hashlib.sha256(pixels).digest()].append(number)
        self._prints.append(fingerprint(image))
        self._small.append(_small(image))
        if caption:
            self.captioned += 1
            if len(self.captions) < LISTED:
                self.captions.append((name, caption))

    def add_broken(self, name: str, error: FileError) -> None:
        self.broken.append((name, error.message))

    @property
    def doubles(self) -> list[list[str]]:
        """Groups of images that are the same pixel by pixel."""
        groups = [group for group in self._hashes.values() if len(group) > 1]
        return [[self.names[number] for number in group] for group in groups]

    @property
    def near_doubles(self) -> list[tuple[str, str]]:
        """Pairs that look alike and are not the same; each image once, for the first like it."""
        same = {number: group[0] for group in self._hashes.values() for number in group}
        firsts = [number for number in range(self.count) if same[number] == number]
        firsts = firsts[:MOST_COMPARED]
        pairs = near_pairs(
            [self._prints[number] for number in firsts], [self._small[number] for number in firsts]
        )
        return [(self.names[firsts[a]], self.names[firsts[b]]) for a, b in pairs]

    def report(self) -> dict[str, object]:
        doubles, near = self.doubles, self.near_doubles
        return {
            "dataset": self.name,
            "images": self.count,
            "sizes": dict(self.sizes.most_common(LISTED)),
            "modes": dict(self.modes.most_common()),
            "broken_count": len(self.broken),
            "broken": [{"file": name, "why": why} for name, why in self.broken[:LISTED]],
            "duplicate_count": sum(len(group) - 1 for group in doubles),
            "duplicates": doubles[:LISTED],
            "near_duplicate_count": len(near),
            "near_duplicates": [list(pair) for pair in near[:LISTED]],
            "captioned": self.captioned,
            "captions": [{"file": name, "caption": text} for name, text in self.captions],
        }


def fingerprint(image: Image.Image) -> int:
    """64 bits that stay when a picture is resized, recompressed or a little brighter: whether each
    of 8×8 places is brighter than the one to its right (difference hash)."""
    small = image.convert("L").resize((9, 8), Image.Resampling.BOX)
    values = np.asarray(small).astype(np.int16)
    # A difference of less than two is noise on a flat ground, which would make all drawings alike.
    bits = (values[:, :-1] - values[:, 1:] > 1).ravel()
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def near_pairs(
    prints: Sequence[int], small: Sequence[NDArray[np.float32]]
) -> Iterator[tuple[int, int]]:
    """(earlier, later) for each picture that is nearly an earlier one.

    The fingerprints say quickly which ones to look at; drawings on one ground share theirs, so that
    the pixels decide.
    """
    known: NDArray[np.uint64] = np.array(prints, np.uint64)
    pixels = np.stack(small) if small else np.empty((0, 1), np.float32)
    for later in range(1, len(known)):
        alike = np.flatnonzero(np.bitwise_count(known[:later] ^ known[later]) <= NEAR)
        apart = np.sqrt(((pixels[alike] - pixels[later]) ** 2).mean(axis=1))
        close = alike[apart < CLOSE]
        if len(close):
            yield int(close[0]), later


def _small(image: Image.Image) -> NDArray[np.float32]:
    """In color, as the same drawing in another color is another one."""
    pixels = np.asarray(image.convert("RGB").resize((SMALL, SMALL), Image.Resampling.BOX))
    return pixels.ravel().astype(np.float32) / np.float32(255)


def relative(path: Path, folder: Path) -> str:
    """The name of a file as its dataset knows it."""
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name
