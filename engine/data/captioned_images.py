"""A folder of images with captions: in captions.jsonl, or in a .txt of the same name beside each.

Each line of captions.jsonl is {"file": "images/cat.png", "captions": ["a cat", "cat, flat"]}.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine import memory
from engine.data import crop
from engine.data.image_folder import image_paths
from engine.errors import DatasetError, FileError
from engine.events import Notice, Progress, Report
from engine.gate import json_text
from engine.gate.images import open_image

INDEX = "captions.jsonl"


@dataclass(frozen=True)
class CaptionedImages:
    """Square RGB images, uint8 (N, H, W, 3), each with one or more captions."""

    name: str
    images: NDArray[np.uint8]
    captions: tuple[tuple[str, ...], ...]

    def __len__(self) -> int:
        return len(self.images)

    def sha256(self) -> str:
        """Of pixels and captions: tells whether two runs saw the same data."""
        digest = hashlib.sha256(np.ascontiguousarray(self.images).data)
        digest.update(repr(self.captions).encode())
        return digest.hexdigest()


def load_captioned_folder(
    folder: Path, size: int, report: Report, *, need_captions: bool = True
) -> CaptionedImages:
    """The images of `folder`, cut to `size` pixels, transparency on white.

    Images that cannot be read are named in a Notice and left out, as are those without a caption.
    Raises DatasetError when nothing is left, OutOfMemory when there is too much.
    """
    found = list(entries(folder))
    wanted = [(path, captions) for path, captions in found if captions or not need_captions]
    if not wanted:
        raise DatasetError(
            f"There are no captioned images in {folder}." if need_captions and found
            else f"There are no images in {folder}.",
            f"Put a .txt with the same name beside each image, or write {INDEX}."
            if need_captions and found else "Put images into it, or choose another folder.",
        )  # fmt: skip
    _check_memory(len(wanted), size)
    images = np.empty((len(wanted), size, size, 3), np.uint8)
    kept: list[tuple[str, ...]] = []
    trouble: list[str] = []
    for number, (path, captions) in enumerate(wanted):
        report(Progress(number, len(wanted), "reading the images"))
        try:
            images[len(kept)] = np.asarray(crop.square(_on_white(open_image(path)), size))
        except FileError as error:
            trouble.append(error.message)
            continue
        kept.append(captions)
    if not kept:
        raise DatasetError(f"None of the images in {folder} can be read.", trouble[0])
    if left_out := len(found) - len(kept):
        named = " ".join(trouble[:3])
        report(Notice(f"{left_out:,} images were left out: unreadable or no caption. {named}"))
    return CaptionedImages(str(folder), images[: len(kept)], tuple(kept))


def sample_prompts(asked: str, captions: Sequence[Sequence[str]], most: int) -> list[str]:
    """What a sample grid shows: prompts between semicolons, else captions of the whole dataset."""
    own = [prompt.strip() for prompt in asked.split(";") if prompt.strip()]
    every = max(1, len(captions) // most)
    return own[:most] or [texts[0] for texts in captions[::every]][:most]


def entries(folder: Path) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Each image of a folder with its captions, which may be none; raises DatasetError."""
    if not folder.is_dir():
        raise DatasetError(f"There is no folder {folder}.", "Choose a folder of images.")
    index = folder / INDEX
    if index.is_file():
        yield from _indexed(index)
        return
    for path in sorted(image_paths(folder)):
        beside = path.with_suffix(".txt")
        text = _text(beside) if beside.is_file() else ""
        yield path, tuple(line.strip() for line in text.splitlines() if line.strip())


def _indexed(index: Path) -> Iterator[tuple[Path, tuple[str, ...]]]:
    root = index.parent.resolve()
    for number, line in enumerate(_text(index).splitlines(), start=1):
        if not line.strip():
            continue
        file, captions = _parsed(line, f"Line {number} of {index}")
        path = (root / file).resolve()
        if not path.is_relative_to(root):
            raise DatasetError(f"Line {number} of {index} leads out of its folder.", file)
        yield path, captions


def _parsed(line: str, where: str) -> tuple[str, tuple[str, ...]]:
    wanted = 'It should be like {"file": "cat.png", "captions": ["a cat"]}.'
    try:
        entry: Any = json_text.parse(line)
        file, captions = entry["file"], entry["captions"]
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{where} cannot be understood.", wanted) from error
    if not isinstance(file, str) or not isinstance(captions, list):
        raise DatasetError(f"{where} cannot be understood.", wanted)
    return file, tuple(text.strip() for text in captions if isinstance(text, str) and text.strip())


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} cannot be read as text.", str(error)) from error


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    paper = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(paper, image.convert("RGBA")).convert("RGB")


def _check_memory(count: int, size: int) -> None:
    memory.require(
        count * size * size * 3 * 2,  # what is learned from needs as much again
        f"{count:,} images of {size} pixels need",
        "Choose a smaller image size, or a folder with fewer images.",
    )
