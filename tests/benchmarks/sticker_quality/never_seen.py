"""Does the evaluator know drawings it never saw? Firefox OS artwork says so; no part of any model.

python -m tests.benchmarks.sticker_quality.never_seen DATA --evaluator FOLDER (needs npm, resvg-py)
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

import numpy as np

from engine import device, files, folders

device.prepare_environment()

from engine.data import emoji, npm  # noqa: E402
from engine.errors import DatasetError  # noqa: E402
from tests.benchmarks.sticker_quality import evaluator as evaluators  # noqa: E402
from tests.benchmarks.sticker_quality.artwork import (  # noqa: E402
    SIZE,
    Artwork,
    Pictures,
    read_artwork,
    small,
)
from tests.benchmarks.sticker_quality.naming import named  # noqa: E402
from tests.benchmarks.sticker_quality.train_evaluator import DEFAULT_FOLDER  # noqa: E402

PACKAGE = "@iconify-json/fxemoji@1.2.2"  # Apache-2.0, Mozilla
SHA256 = "f3e72b3c59d05e1db03b7e308d55c0d05bd7ba3f625a90da1b79313c12858eef"
RESULT = "never_seen.json"


def read_never_seen(artwork: Artwork, package: Path) -> tuple[Pictures, list[str]]:
    """Pictures of the concepts whose English name an icon bears, and their codes."""
    drawings = emoji.read_drawings(package)
    icons = {code: _squeezed(name.english) for code, name in artwork.names.items()}
    codes = [code for code, icon in icons.items() if icon in drawings]
    if not codes:
        raise DatasetError(f"Nothing in {package} is named like a concept.", "Fetch it anew.")
    pictures = [small(emoji.draw_svg(drawings[icons[code]], 2 * SIZE)) for code in codes]
    return np.stack(pictures), codes


def _squeezed(name: str) -> str:
    """The icons are named without a space: redapple."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--evaluator", type=Path, default=DEFAULT_FOLDER)
    asked = parser.parse_args()
    device.configure_threads()
    package = npm.fetch(PACKAGE, SHA256, emoji.WANTED, folders.cache() / "npm")
    pictures, codes = read_never_seen(read_artwork(asked.data), package)
    figures = named(evaluators.load(asked.evaluator), pictures, [{code} for code in codes])
    del figures["places"]
    files.write_json(asked.evaluator / RESULT, figures)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
