"""Teaches the classifier of styles from the folder DATA that engine.data.emoji built:

    python -m tests.benchmarks.sticker_quality.train_style_classifier DATA

The concepts whose styles are measured are kept out. One thread, the same weights for one seed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from engine import device

device.prepare_environment()

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from tests.benchmarks.sticker_quality.artwork import Artwork, read_artwork  # noqa: E402
from tests.benchmarks.sticker_quality.augmentation import STYLE, augmented  # noqa: E402
from tests.benchmarks.sticker_quality.fixed_lists import read_lists, styled_concepts  # noqa: E402
from tests.benchmarks.sticker_quality.style_classifier import (  # noqa: E402
    Network,
    StyleClassifier,
    as_input,
    save,
    whole,
)
from tests.benchmarks.sticker_quality.train_evaluator import DEFAULT_FOLDER  # noqa: E402

WEIGHT_DECAY = 0.05
SMOOTHING = 0.05
WARM_UP = 0.1  # of the steps
LOG_EVERY = 100


@dataclass(frozen=True)
class Recipe:
    steps: int = 4500
    batch_size: int = 32
    width: int = 24
    learning_rate: float = 3e-3
    strength: float = 0.5
    """Of the augmentation."""
    seed: int = 0


def train(artwork: Artwork, unseen: Collection[str], recipe: Recipe) -> StyleClassifier:
    """A classifier of the artwork's styles that has seen nothing of the concepts in `unseen`."""
    torch.manual_seed(recipe.seed)
    random = torch.Generator().manual_seed(recipe.seed)
    styles = tuple(dict.fromkeys(artwork.styles))
    chosen = [n for n, concept in enumerate(artwork.concepts) if concept not in unseen]
    pictures = whole([artwork.open(n) for n in chosen])
    labels = torch.tensor([styles.index(artwork.styles[n]) for n in chosen])
    network = Network(len(styles), recipe.width).train()
    optimizer = torch.optim.AdamW(
        network.parameters(), recipe.learning_rate, weight_decay=WEIGHT_DECAY
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.learning_rate, total_steps=recipe.steps + 1, pct_start=WARM_UP
    )
    began = time.perf_counter()
    for step in range(1, recipe.steps + 1):
        batch = torch.randint(len(labels), (recipe.batch_size,), generator=random)
        seen = _mirrored(as_input(pictures[batch]), random)
        logits = network(augmented(seen, random, recipe.strength, STYLE))
        loss = nn.functional.cross_entropy(logits, labels[batch], label_smoothing=SMOOTHING)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % LOG_EVERY == 0:
            taken = time.perf_counter() - began
            print(f"step {step}: loss {loss:.3f}, {taken:.0f} s", flush=True)
    return StyleClassifier(network.eval(), styles, recipe.width, tuple(sorted(unseen)))


def _mirrored(pictures: Tensor, random: torch.Generator) -> Tensor:
    """Half of them; no style has a side."""
    chance = torch.rand(len(pictures), 1, 1, 1, generator=random)
    return torch.where(chance < 0.5, pictures, pictures.flip(3))


def told_right(classifier: StyleClassifier, artwork: Artwork) -> float:
    """The part of the pictures of unseen concepts, as they were drawn, whose style is told."""
    numbers = [n for code in classifier.unseen for n in artwork.indices_of(code)]
    said = classifier.judge([artwork.open(n) for n in numbers])
    real = np.array([classifier.styles.index(artwork.styles[n]) for n in numbers])
    return float((said == real).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=DEFAULT_FOLDER)
    parser.add_argument("--steps", type=int, default=Recipe.steps)
    asked = parser.parse_args()
    device.configure_threads()
    artwork = read_artwork(asked.data)
    unseen = styled_concepts(read_lists(), artwork)
    classifier = train(artwork, unseen, Recipe(steps=asked.steps))
    print(f"{told_right(classifier, artwork):.1%} of unseen artwork told right")
    print(f"written to {save(classifier, asked.out)}")


if __name__ == "__main__":
    main()
