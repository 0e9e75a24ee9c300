"""Trains and judges the candidates: python -m tests.benchmarks.architecture_trial --run RUN …

RUN is a run of train_text_to_image whose text phase is over: its tokenizer, text encoder and
autoencoder serve every candidate. One thread; only CPU time spent learning counts. Stop it when
you like: the same command goes on.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from engine import device

device.prepare_environment()

import torch  # noqa: E402

from engine.data.captioned_images import load_captioned_folder  # noqa: E402
from tests.benchmarks.architecture_trial.candidates import CANDIDATES, Candidate, Shape  # noqa: E402
from tests.benchmarks.architecture_trial.frozen import Frozen, load_frozen  # noqa: E402
from tests.benchmarks.architecture_trial.judging import judge, write_summary  # noqa: E402
from tests.benchmarks.architecture_trial.learning import Lesson  # noqa: E402
from tests.benchmarks.architecture_trial.spaces import latent_space, pixel_space  # noqa: E402
from tests.benchmarks.sticker_quality.evaluator import load  # noqa: E402
from tests.benchmarks.sticker_quality.fixed_lists import read_lists  # noqa: E402

CONCEPTS = 100
PIXELS, PICTURE = 64, 128  # sizes that candidates on pixels and on latents learn from


def lessons(candidates: list[Candidate], frozen: Frozen, data: Path, out: Path) -> Iterator[Lesson]:
    """Each candidate as far as it has come; the first time with fresh weights."""
    for latent in (False, True):
        chosen = [candidate for candidate in candidates if candidate.latent == latent]
        if not chosen:
            continue
        images = load_captioned_folder(data, PICTURE if latent else PIXELS, lambda event: None)
        space = latent_space(images, frozen.autoencoder, out) if latent else pixel_space(images)
        _, channels, size, _ = space.clean.shape
        shape = Shape(channels, size, frozen.tokens, frozen.text_width)
        for candidate in chosen:
            yield Lesson(candidate, shape, space, frozen, images.captions, out / candidate.name)


def concepts() -> dict[str, str]:
    """Code and English name of the first hundred of the fixed list."""
    chosen = islice(read_lists().concepts.items(), CONCEPTS)
    return {code: name.english for code, name in chosen}


def main() -> None:
    names = [candidate.name for candidate in CANDIDATES]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--evaluator", type=Path, help="without one nothing is judged yet")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--part", type=float, default=1.0, help="stop when so much is spent")
    parser.add_argument("--only", choices=names, nargs="+", default=names)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    frozen = load_frozen(asked.run, asked.out)
    chosen = [candidate for candidate in CANDIDATES if candidate.name in asked.only]
    for lesson in lessons(chosen, frozen, asked.data, asked.out):
        print(f"{lesson.candidate.title}: {asked.minutes:g} minutes of CPU time", flush=True)
        lesson.learn(60 * asked.minutes, asked.part)
        if asked.evaluator:
            result = judge(lesson, concepts(), load(asked.evaluator))
            print(json.dumps(vars(result)), flush=True)
    if asked.evaluator:
        print(write_summary(asked.out))


if __name__ == "__main__":
    main()
