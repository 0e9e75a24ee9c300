"""Teaches the evaluator: python -m tests.benchmarks.sticker_quality.train_evaluator DATA.

DATA is the folder that engine.data.emoji built. One thread, the same weights for the same seed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine import device, folders

device.prepare_environment()

import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from engine.data.batches import Batches  # noqa: E402
from tests.benchmarks.sticker_quality.artwork import (  # noqa: E402
    Artwork,
    as_batch,
    read_artwork,
)
from tests.benchmarks.sticker_quality.augmentation import augmented  # noqa: E402
from tests.benchmarks.sticker_quality.evaluator import Evaluator, Network, save  # noqa: E402

DEFAULT_FOLDER = folders.cache() / "sticker_evaluator"
WEIGHT_DECAY = 0.05
SMOOTHING = 0.05  # of the concepts: some of them look alike
STYLE_WEIGHT = 0.5
WARM_UP = 0.1  # of the steps
HARDER = 0.5  # of the steps, in which the augmentation grows to its full strength: a quicker start
LOG_EVERY = 50


@dataclass(frozen=True)
class Recipe:
    """How the evaluator learns."""

    steps: int = 2200
    batch_size: int = 64
    width: int = 40
    learning_rate: float = 2e-3
    seed: int = 0


def train(artwork: Artwork, recipe: Recipe) -> Evaluator:
    """An evaluator of all concepts of `artwork`.

    It learns to tell their styles beside, which helps it with the concepts.
    """
    torch.manual_seed(recipe.seed)
    concepts = tuple(sorted(set(artwork.concepts)))
    styles = tuple(dict.fromkeys(artwork.styles))
    evaluator = Evaluator(
        Network(len(concepts), len(styles), recipe.width), concepts, styles, recipe.width
    )
    optimizer, schedule = _optimizer(evaluator.network, recipe.learning_rate, recipe.steps)
    evaluator.network.train()
    began = time.perf_counter()
    for step, (pictures, concept, style) in enumerate(_batches(artwork, evaluator, recipe), 1):
        with torch.autocast("cpu", torch.bfloat16, enabled=device.has_native_bfloat16()):
            named, styled = evaluator.network(pictures)
        named_loss = nn.functional.cross_entropy(named, concept, label_smoothing=SMOOTHING)
        styled_loss = nn.functional.cross_entropy(styled, style)
        optimizer.zero_grad(set_to_none=True)
        (named_loss + STYLE_WEIGHT * styled_loss).backward()
        optimizer.step()
        schedule.step()
        if step % LOG_EVERY == 0:
            right = (named.argmax(1) == concept).float().mean()
            print(
                f"step {step}: concept {named_loss:.3f}, style {styled_loss:.3f}, "
                f"{right:.0%} named right, {time.perf_counter() - began:.0f} s",
                flush=True,
            )
    evaluator.network.eval()
    return evaluator


def _optimizer(
    network: nn.Module, learning_rate: float, steps: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    optimizer = torch.optim.AdamW(network.parameters(), learning_rate, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, learning_rate, total_steps=steps + 1, pct_start=WARM_UP
    )
    return optimizer, schedule


def _labels(values: Sequence[str], names: Sequence[str]) -> Tensor:
    return torch.tensor([names.index(value) for value in values])


def _batches(
    artwork: Artwork, evaluator: Evaluator, recipe: Recipe
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Augmented pictures, their concepts and their styles."""
    random = torch.Generator().manual_seed(recipe.seed)
    concepts = _labels(artwork.concepts, evaluator.concepts)
    styles = _labels(artwork.styles, evaluator.styles)
    batches = Batches(len(artwork.files), recipe.batch_size, recipe.seed)
    for step in range(1, recipe.steps + 1):
        chosen = batches.indices(step)
        strength = min(1.0, step / (HARDER * recipe.steps))
        pictures = augmented(as_batch(artwork.pictures[chosen]), random, strength)
        yield pictures, concepts[chosen], styles[chosen]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=DEFAULT_FOLDER)
    parser.add_argument("--steps", type=int, default=Recipe.steps)
    parser.add_argument("--seed", type=int, default=Recipe.seed)
    asked = parser.parse_args()
    device.configure_threads()
    evaluator = train(read_artwork(asked.data), Recipe(steps=asked.steps, seed=asked.seed))
    print(f"written to {save(evaluator, asked.out)}")


if __name__ == "__main__":
    main()
