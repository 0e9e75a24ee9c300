"""How often the embedded model draws what it is asked for; run with -m, on the data it learned.

A picture counts as right when the nearest artwork (mean squared error at 32×32 pixels, over all
concepts and styles) is of the concept in the prompt. Needs the folder that engine.data.emoji built.
Also writes a contact sheet of the pictures, in the order drawn, none left out.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine import library
from engine.generators.text_to_image import TextToImage
from engine.grid import image_grid

SMALL = 32
CHOICE_SEED = 0  # which concepts are asked for


def artwork(data: Path, chinese: bool) -> tuple[list[str], list[str], NDArray[np.float32]]:
    """Concept (the file's stem) and name of each picture, and the pictures, small."""
    lines = (data / "captions.jsonl").read_text(encoding="utf-8").splitlines()
    entries = {entry["file"]: entry for entry in map(json.loads, lines)}
    concepts = [Path(name).stem for name in entries]
    labels = [_name(entry["captions"], chinese) for entry in entries.values()]
    return concepts, labels, np.stack([small(data / name) for name in entries])


def _name(captions: list[str], chinese: bool) -> str:
    """The caption in that language that stands there most often."""
    alike = [caption for caption in captions if caption.isascii() != chinese]
    return max(alike or captions, key=captions.count)


def small(path: Path) -> NDArray[np.float32]:
    with Image.open(path) as image:
        reduced = image.convert("RGB").resize((SMALL, SMALL), Image.Resampling.BOX)
    return np.asarray(reduced, np.float32) / 255


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default=library.EMBEDDED_IMAGE_MODEL)
    parser.add_argument("--chinese", action="store_true", help="ask by the Chinese names")
    parser.add_argument("--prompts", type=int, default=64)
    parser.add_argument("--guidance_scale", type=float, default=3.0)
    parser.add_argument("--out", type=Path, default=Path("sticker-quality"))
    asked = parser.parse_args()
    concepts, labels, pictures = artwork(asked.data, asked.chinese)
    named = dict(zip(concepts, labels, strict=True))
    chosen = np.random.default_rng(CHOICE_SEED).choice(sorted(named), asked.prompts, replace=False)
    sheet, ranks, began = [], [], time.perf_counter()
    for number, concept in enumerate(chosen):
        folder = asked.out / f"{number:03d}"
        TextToImage(
            prompt=named[concept], model=asked.model, seed=1, guidance_scale=asked.guidance_scale
        ).run(lambda event: None, folder)
        path = max(folder.glob("*.png"))
        distances = np.square(pictures - small(path)).mean((1, 2, 3))
        nearest = list(dict.fromkeys(concepts[index] for index in distances.argsort()))
        ranks.append(nearest.index(concept))
        print(f"{named[concept]}: rank {ranks[-1] + 1}, nearest {named[nearest[0]]}")
        with Image.open(path) as image:
            sheet.append(np.asarray(image.convert("RGB")))
    image_grid(np.stack(sheet), columns=8, gap=0).save(asked.out / "sheet.png")
    places = np.array(ranks)
    print(f"top-1 {np.mean(places < 1):.1%}, top-5 {np.mean(places < 5):.1%} of {len(places)}")
    print(f"by chance: top-1 {1 / len(named):.2%}, top-5 {5 / len(named):.2%}")
    print(f"{(time.perf_counter() - began) / len(places):.2f} s a picture")


if __name__ == "__main__":
    main()
