"""The evaluator: a small convolutional classifier that says what a sticker shows.

It learns from the artwork alone (train_evaluator.py), never from anything a generator drew, and no
trainer of the studio knows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from tests.benchmarks.sticker_quality import labelled_weights
from tests.benchmarks.sticker_quality.artwork import Pictures, as_batch
from tests.benchmarks.sticker_quality.convolution import convolution

FILE = "evaluator.safetensors"
BATCH = 128
STYLE_WIDTH = 128


class _Residual(nn.Module):
    """Two 3×3 convolutions beside a short cut (He et al. 2016, arXiv:1512.03385)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(convolution(width, width), convolution(width, width, last=True))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.body(x))


class Network(nn.Module):
    """Pictures (N, 3, H, W) in 0…1 → logits of concept (N, concepts) and of style (N, styles).

    The concept is read from the last of four stages; the style, which lies in edges and shading
    more than in shapes, from the means of them all.
    """

    def __init__(self, concepts: int, styles: int, width: int) -> None:
        super().__init__()
        widths = [width, 2 * width, 4 * width, 8 * width]
        stages: list[nn.Module] = [convolution(3, width, stride=2)]
        for inner, outer in pairwise(widths):
            stages += [nn.Sequential(convolution(inner, outer, stride=2), _Residual(outer))]
        self.stages = nn.ModuleList(stages)
        self.dropout = nn.Dropout(0.1)
        self.concept = nn.Linear(8 * width, concepts)
        self.style = nn.Sequential(
            nn.BatchNorm1d(sum(widths)), nn.Linear(sum(widths), STYLE_WIDTH), nn.ReLU(),
            nn.Linear(STYLE_WIDTH, styles),
        )  # fmt: skip
        self.to(memory_format=torch.channels_last)

    def pooled(self, pictures: Tensor) -> list[Tensor]:
        """The mean of each stage: (N, width), (N, 2 width), …"""
        x = (2 * pictures - 1).contiguous(memory_format=torch.channels_last)
        means = []
        for stage in self.stages:
            x = stage(x)
            means.append(x.float().mean((2, 3)))
        return means

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        means = self.pooled(pictures)
        return self.concept(self.dropout(means[-1])), self.style(torch.cat(means, 1))


@dataclass(frozen=True)
class Judgement:
    """What the evaluator sees in N pictures; columns in the order of its concepts."""

    concept: Tensor
    """(N, concepts): logits."""
    features: Tensor
    """(N, F), each of length 1: their distances say how alike pictures look to it."""


@dataclass(frozen=True)
class Evaluator:
    """A trained network and what its outputs are called."""

    network: Network
    concepts: tuple[str, ...]
    styles: tuple[str, ...]
    width: int

    @torch.inference_mode()
    def judge(self, pictures: Pictures) -> Judgement:
        self.network.eval()
        parts = []
        for batch in as_batch(pictures).split(BATCH):
            last = self.network.pooled(batch)[-1]
            parts.append((self.network.concept(last), F.normalize(last)))
        concept, features = (torch.cat(part) for part in zip(*parts, strict=True))
        return Judgement(concept, features)


def save(evaluator: Evaluator, folder: Path) -> Path:
    """Write the evaluator into `folder`; raises FileError."""
    labels = {
        "concepts": evaluator.concepts,
        "styles": evaluator.styles,
        "width": evaluator.width,
    }
    return labelled_weights.write(folder / FILE, evaluator.network, labels)


def load(folder: Path) -> Evaluator:
    """The evaluator that `save` wrote into `folder`; raises FileError."""
    tensors, labels = labelled_weights.read(folder / FILE, "evaluator")
    concepts, styles = tuple(labels["concepts"]), tuple(labels["styles"])
    network = Network(len(concepts), len(styles), labels["width"])
    network.load_state_dict(tensors)
    return Evaluator(network, concepts, styles, labels["width"])
