"""Measures a model: figures.json, card.md and the sheets; trains its judges if there are none.

    python -m tests.benchmarks.sticker_quality DATA --model stickers --out FOLDER

Drawings are kept below FOLDER, by the model's weights: a rerun goes on where this one stopped.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from engine import device, files, library

device.prepare_environment()

from engine.gate.weights import content_hash  # noqa: E402
from tests.benchmarks.sticker_quality import evaluator as evaluators  # noqa: E402
from tests.benchmarks.sticker_quality import (  # noqa: E402
    naming,
    never_seen,
    sheets,
    style_classifier,
    train_style_classifier,
    variety,
)
from tests.benchmarks.sticker_quality.artwork import Artwork, read_artwork  # noqa: E402
from tests.benchmarks.sticker_quality.drawings import Artist, Request, hire  # noqa: E402
from tests.benchmarks.sticker_quality.evaluator import Evaluator  # noqa: E402
from tests.benchmarks.sticker_quality.fixed_lists import (  # noqa: E402
    FixedLists,
    check,
    read_lists,
    styled_concepts,
)
from tests.benchmarks.sticker_quality.speed import speed  # noqa: E402
from tests.benchmarks.sticker_quality.style_classifier import StyleClassifier  # noqa: E402
from tests.benchmarks.sticker_quality.table import markdown  # noqa: E402
from tests.benchmarks.sticker_quality.train_evaluator import (  # noqa: E402
    DEFAULT_FOLDER,
    Recipe,
    train,
)

COLUMNS = 8


def measure(
    artwork: Artwork,
    evaluator: Evaluator,
    classifier: StyleClassifier,
    artist: Artist,
    lists: FixedLists,
) -> naming.Figures:
    """All figures that need drawings."""
    return {
        "concepts": naming.concepts(evaluator, artwork, artist, lists),
        "paraphrases": naming.paraphrases(evaluator, artwork, artist, lists),
        "styles": naming.styles(evaluator, classifier, artwork, artist, lists),
        "seeds": variety.seeds(evaluator, classifier, artwork, artist, lists),
        "combinations": naming.combinations(evaluator, artwork, artist, lists),
    }


def write_sheets(artwork: Artwork, artist: Artist, lists: FixedLists, out: Path) -> None:
    """contact_sheet.png, drawn one by one as a person would, and combinations.png."""
    print("contact sheet")
    requests = [Request(prompt, naming.SEEDS[0]) for prompt in lists.contact_sheet]
    page = sheets.sheet(artist.draw(requests, batch=1), lists.contact_sheet, COLUMNS)
    sheets.write(page, out / "contact_sheet.png")
    combined = [
        Request(prompt, seed) for prompt in lists.combinations for seed in naming.SEEDS
    ]  # fmt: skip
    texts = [
        f"{one.prompt}{' (trained)' if one.prompt in artwork.captions else ''}" for one in combined
    ]
    page = sheets.sheet(artist.draw(combined), texts, COLUMNS)
    sheets.write(page, out / "combinations.png")


def _evaluator(folder: Path, artwork: Artwork) -> Evaluator:
    if not (folder / evaluators.FILE).is_file():
        print(f"training an evaluator into {folder}")
        evaluators.save(train(artwork, Recipe()), folder)
    return evaluators.load(folder)


def _classifier(folder: Path, artwork: Artwork, lists: FixedLists) -> StyleClassifier:
    if not (folder / style_classifier.FILE).is_file():
        print(f"training a style classifier into {folder}")
        unseen = styled_concepts(lists, artwork)
        trained = train_style_classifier.train(artwork, unseen, train_style_classifier.Recipe())
        style_classifier.save(trained, folder)
    return style_classifier.load(folder)


def _about(folder: Path, evaluator: Evaluator) -> naming.Figures:
    about: naming.Figures = {
        "concepts": len(evaluator.concepts),
        "parameters": sum(tensor.numel() for tensor in evaluator.network.parameters()),
        "weights": content_hash([folder / evaluators.FILE]),
        "style_classifier": content_hash([folder / style_classifier.FILE]),
    }
    if (folder / never_seen.RESULT).is_file():
        text = (folder / never_seen.RESULT).read_text(encoding="utf-8")
        about["never_seen"] = json.loads(text)
    return about


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default=library.EMBEDDED_IMAGE_MODEL, help="its name or path")
    parser.add_argument("--evaluator", type=Path, default=DEFAULT_FOLDER)
    parser.add_argument("--out", type=Path, default=Path("sticker-quality"))
    asked = parser.parse_args()
    began = time.process_time()
    device.configure_threads()
    artwork, lists = read_artwork(asked.data), read_lists()
    check(lists, artwork)
    evaluator = _evaluator(asked.evaluator, artwork)
    classifier = _classifier(asked.evaluator, artwork, lists)
    artist = hire(asked.model, asked.out)
    figures = measure(artwork, evaluator, classifier, artist, lists)
    nearest = variety.nearest(artwork, artist, lists)
    figures["nearest"] = nearest.figures()
    sheets.write(sheets.sheet(*nearest.beside(artwork), COLUMNS), asked.out / "nearest.png")
    write_sheets(artwork, artist, lists, asked.out)
    figures["speed"] = speed(asked.model)
    figures["evaluator"] = _about(asked.evaluator, evaluator)
    figures["model"] = {"name": asked.model, "weights": artist.model.weights_hash}
    files.write_json(asked.out / "figures.json", figures)
    files.write_text(asked.out / "card.md", markdown(figures))
    print(f"\n{markdown(figures)}\n{time.process_time() - began:.0f} s of CPU time; {asked.out}")


if __name__ == "__main__":
    main()
