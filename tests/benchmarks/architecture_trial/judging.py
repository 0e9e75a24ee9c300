"""What the candidates drew: figures for the model card, and a sheet of samples."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine import files
from engine.grid import image_grid
from tests.benchmarks.architecture_trial.candidates import CANDIDATES
from tests.benchmarks.architecture_trial.learning import Lesson
from tests.benchmarks.sticker_quality.artwork import small
from tests.benchmarks.sticker_quality.evaluator import Evaluator
from tests.benchmarks.sticker_quality.ranking import among_first, places

PROMPTS = (
    "red heart", "grinning face", "flat cat face", "3d pizza", "noto house", "twemoji red apple",
    "blue cat face", "automobile", "rocket", "soccer ball", "红心", "3d octopus",
)  # fmt: skip
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


def judge(lesson: Lesson, concepts: Mapping[str, str], evaluator: Evaluator) -> Result:
    """Draws `concepts` (code to name), and writes into the lesson's folder what was drawn."""
    began = time.process_time()
    pictures = lesson.space.decode(lesson.draw(list(concepts.values())))
    seconds = (time.process_time() - began) / len(concepts)
    judged = evaluator.judge(np.stack([small(Image.fromarray(picture)) for picture in pictures]))
    right = [(evaluator.concepts.index(code),) for code in concepts]
    found = places(judged.concept.numpy(), right)
    result = Result(
        minutes=lesson.spent / 60,
        parameters=lesson.parameters,
        steps=len(lesson.losses),
        images=len(lesson.losses) * lesson.batches.batch_size,
        loss=lesson.final_loss(),
        seconds_per_picture=seconds,
        top_1=among_first(found, 1),
        top_5=among_first(found, 5),
    )
    shown = _enlarged(lesson.space.decode(lesson.draw(list(PROMPTS))))
    image_grid(shown, columns=len(PROMPTS), gap=0).save(lesson.folder / ROW)
    image_grid(pictures, columns=10, gap=0).save(lesson.folder / "concepts.png")
    files.write_json(lesson.folder / RESULT, asdict(result))
    return result


def _enlarged(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    size = (SHOWN, SHOWN)
    return np.stack([
        np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))
        for picture in pictures
    ])  # fmt: skip


def write_summary(out: Path) -> str:
    """table.md and sheet.png of all candidates that were judged; returns the table."""
    rows = [
        "| | Parameters | Minutes | Steps | Pictures seen | Loss | Top-1 | Top-5 | s a picture |",
        "|---|---|---|---|---|---|---|---|---|",
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
    cells = (
        title,
        f"{result.parameters / 1e6:.1f} M",
        f"{result.minutes:.0f}",
        f"{result.steps:,}",
        f"{result.images:,}",
        f"{result.loss:.3f}",
        f"{result.top_1:.0%}",
        f"{result.top_5:.0%}",
        f"{result.seconds_per_picture:.2f}",
    )
    return f"| {' | '.join(cells)} |"
