"""Draws the 200 concepts of concepts.json: python -m tests.benchmarks.sticker_quality.choose_concepts DATA."""  # noqa: E501

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from engine import files
from tests.benchmarks.sticker_quality.artwork import Artwork, read_artwork
from tests.benchmarks.sticker_quality.fixed_lists import CONCEPTS

COUNT = 200
SEED = 0


def chosen_lines(artwork: Artwork) -> str:
    """The file's text: one concept a line, in the order drawn."""
    codes = np.random.default_rng(SEED).choice(sorted(artwork.names), COUNT, replace=False)
    lines = [f"  {_json(code)}: {_json([*_names(artwork, code)])}" for code in map(str, codes)]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _names(artwork: Artwork, code: str) -> tuple[str, str]:
    return artwork.names[code].english, artwork.names[code].chinese


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    files.write_text(CONCEPTS, chosen_lines(read_artwork(parser.parse_args().data)))


if __name__ == "__main__":
    main()
