"""What the model is asked: concepts drawn at random, prompts written before any result was seen.

concepts.json: 200 concepts, drawn by choose_concepts.py. prompts.json: paraphrases, each with the
concepts it may show; prompts that combine; the prompts of the contact sheet.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from engine.errors import DatasetError
from tests.benchmarks.sticker_quality.artwork import Artwork, Name

HERE = Path(__file__).parent
CONCEPTS = HERE / "concepts.json"
PROMPTS = HERE / "prompts.json"
WORD = re.compile(r"\w+")
STYLED_CONCEPTS = 40
REBUILD = "Choose the lists for this data set anew, or build the one they were chosen for."


@dataclass(frozen=True)
class FixedLists:
    """All prompts of the measurement."""

    concepts: dict[str, Name]
    """By code."""
    paraphrases: dict[str, tuple[str, ...]]
    """What a person may type, and the English names of the concepts that would be right."""
    combinations: tuple[str, ...]
    contact_sheet: tuple[str, ...]


def read_lists() -> FixedLists:
    concepts = json.loads(CONCEPTS.read_text(encoding="utf-8"))
    prompts = json.loads(PROMPTS.read_text(encoding="utf-8"))
    return FixedLists(
        concepts={code: Name(*names) for code, names in concepts.items()},
        paraphrases={text: tuple(shown) for text, shown in prompts["paraphrases"].items()},
        combinations=tuple(prompts["combinations"]),
        contact_sheet=tuple(prompts["contact_sheet"]),
    )


def styled_concepts(lists: FixedLists, artwork: Artwork) -> list[str]:
    """The first of the concepts that there is artwork of in every style, by code."""
    styles = len(set(artwork.styles))
    complete = [code for code in lists.concepts if len(artwork.indices_of(code)) == styles]
    return complete[:STYLED_CONCEPTS]


def check(lists: FixedLists, artwork: Artwork) -> None:
    """Raises DatasetError where the lists do not suit the data, or were part of the training."""
    for code, name in lists.concepts.items():
        if artwork.names.get(code) != name:
            raise DatasetError(f"{name.english} ({code}) is not in {artwork.folder}.", REBUILD)
    shown = {name for names in lists.paraphrases.values() for name in names}
    if unknown := sorted(shown - artwork.codes.keys()):
        raise DatasetError(f"Not in {artwork.folder}: {', '.join(unknown)}.", REBUILD)
    if given := in_captions(lists.paraphrases, artwork.captions):
        raise DatasetError(
            f"These paraphrases occur in captions of {artwork.folder}: {', '.join(given)}.",
            "The model has learned them; they measure nothing. Choose others.",
        )


def in_captions(phrases: Iterable[str], captions: Iterable[str]) -> list[str]:
    """The phrases that occur in a caption, whole or as a part of it, whatever is between words."""
    learned = "\n".join(_words(caption) for caption in captions)
    return [phrase for phrase in phrases if _words(phrase) in learned]


def _words(text: str) -> str:
    return f" {' '.join(WORD.findall(text.lower()))} "
