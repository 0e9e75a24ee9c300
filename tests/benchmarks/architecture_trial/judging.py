"""What the candidates drew: figures for the model card, and a sheet of samples."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine import files
from engine.grid import image_grid
from tests.benchmarks.architecture_trial.candidates import CANDIDATES
from tests.benchmarks.architecture_trial.learning import Lesson
from tests.benchmarks.sticker_quality.artwork import Artwork, small
from tests.benchmarks.sticker_quality.evaluator import Evaluator

PROMPTS = (
    "red heart", "grinning face", "flat cat face", "3d pizza", "noto house", "twemoji red apple",
    "blue cat face", "automobile", "rocket", "soccer ball", "红心", "3d octopus",
)  # fmt: skip
CONCEPTS = 100
CHOICE_SEED = 0
SHOWN = 128  # pixels of a sample in the sheet
RESULT = "result.json"
ROW = "samples.png"


@dataclass(frozen=True)
class Result:
    """`loss` is the mean over the last tenth; those of different targets do not compare."""

    minutes: float
    parameters: int
    steps: int
    images: int
    loss: float
    seconds_per_picture: float
    top_1: float
    top_5: float


def judge(lesson: Lesson, artwork: Artwork, evaluator: Evaluator) -> Result:
    """Draws, and writes what was drawn and how good it is into the lesson's folder."""
    began = time.process_time()
    concepts = _concepts(artwork)
    pictures = lesson.space.decode(lesson.draw([artwork.names[code].english for code in concepts]))
    seconds = (time.process_time() - began) / len(concepts)
    places = _places(pictures, concepts, evaluator)
    result = Result(
        minutes=lesson.spent / 60,
        parameters=lesson.parameters,
        steps=len(lesson.losses),
        images=len(lesson.losses) * lesson.batches.batch_size,
        loss=lesson.final_loss(),
        seconds_per_picture=seconds,
        top_1=float(np.mean(places < 1)),
        top_5=float(np.mean(places < 5)),
    )
    shown = _enlarged(lesson.space.decode(lesson.draw(list(PROMPTS))))
    image_grid(shown, columns=len(PROMPTS), gap=0).save(lesson.folder / ROW)
    image_grid(pictures, columns=10, gap=0).save(lesson.folder / "concepts.png")
    files.write_json(lesson.folder / RESULT, asdict(result))
    return result


def _concepts(artwork: Artwork) -> list[str]:
    """Drawn at random, the same for every candidate."""
    known = sorted(artwork.names)
    chosen = np.random.default_rng(CHOICE_SEED).permutation(known)[:CONCEPTS]
    return [str(code) for code in chosen]


def _places(
    pictures: NDArray[np.uint8], concepts: list[str], evaluator: Evaluator
) -> NDArray[np.int64]:
    """(N,): how many concepts the evaluator would rather have named; 0 is right."""
    judged = evaluator.judge(np.stack([small(Image.fromarray(picture)) for picture in pictures]))
    asked = [evaluator.concepts.index(code) for code in concepts]
    logits = judged.concept.numpy()
    own = logits[np.arange(len(asked)), asked]
    return np.asarray((logits > own[:, None]).sum(1), np.int64)


def _enlarged(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    size = (SHOWN, SHOWN)
    return np.stack([
        np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))
        for picture in pictures
    ])  # fmt: skip


def write_summary(out: Path) -> str:
    """table.md and sheet.png of all candidates that were judged; returns the table."""
    rows = [
        "| | Parameters | Steps | Pictures seen | Loss | Top-1 | Top-5 | s a picture |",
        "|---|---|---|---|---|---|---|---|",
    ]
    samples = []
    for number, candidate in enumerate(CANDIDATES, start=1):
        folder = out / candidate.name
        if not (folder / RESULT).is_file():
            continue
        result = Result(**json.loads((folder / RESULT).read_text(encoding="utf-8")))
        rows.append(_row(f"{number}. {candidate.title}", result))
        with Image.open(folder / ROW) as row:
            samples.append(np.asarray(row))
    table = "\n".join(rows) + "\n"
    files.write_text(out / "table.md", table)
    Image.fromarray(np.concatenate(samples)).save(out / "sheet.png")
    return table


def _row(title: str, result: Result) -> str:
    return (
        f"| {title} | {result.parameters / 1e6:.1f} M | {result.steps:,} | {result.images:,} "
        f"| {result.loss:.3f} | {result.top_1:.0%} | {result.top_5:.0%} "
        f"| {result.seconds_per_picture:.2f} |"
    )
