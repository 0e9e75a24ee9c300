"""Tells in which style a sticker is drawn; it learns from the artwork alone, in its full size.

Not the evaluator's task: what knows a concept wherever and however large it stands cannot see
styles, of which size, place and shading are a part. What counts is how well it tells the styles of
concepts it has never seen: told by heart, any artwork is in the right style.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from tests.benchmarks.sticker_quality import labelled_weights
from tests.benchmarks.sticker_quality.convolution import convolution

FILE = "style_classifier.safetensors"
SIDE = 128  # pixels
BATCH = 64
CELLS = 4  # the head sees a picture as CELLS × CELLS places


class Network(nn.Module):
    """Pictures (N, 3, SIDE, SIDE) in 0…1 → logits of style (N, styles)."""

    def __init__(self, styles: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            convolution(3, width, stride=2),
            convolution(width, 2 * width, stride=2),
            convolution(2 * width, 2 * width),
            convolution(2 * width, 3 * width, stride=2),
            convolution(3 * width, 3 * width),
            convolution(3 * width, 4 * width, stride=2),
            nn.Dropout(0.2),
            nn.AdaptiveAvgPool2d(CELLS),
            nn.Flatten(),
            nn.Linear(4 * width * CELLS**2, styles),
        )
        self.to(memory_format=torch.channels_last)

    def forward(self, pictures: Tensor) -> Tensor:
        logits: Tensor = self.layers(
            (2 * pictures - 1).contiguous(memory_format=torch.channels_last)
        )
        return logits


@dataclass(frozen=True)
class StyleClassifier:
    """A trained network, what its outputs are called, and what it has never seen."""

    network: Network
    styles: tuple[str, ...]
    width: int
    unseen: tuple[str, ...]
    """The concepts that were kept out of its training, in any style and colour."""

    @torch.inference_mode()
    def judge(self, pictures: Sequence[Image.Image]) -> NDArray[np.int64]:
        """(N,): the style of each picture, as a place in `styles`."""
        self.network.eval()
        batches = whole(pictures).split(BATCH)
        return torch.cat([self.network(as_input(part)).argmax(1) for part in batches]).numpy()


def whole(pictures: Sequence[Image.Image]) -> Tensor:
    """uint8 (N, 3, SIDE, SIDE)."""
    resized = [
        picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        for picture in pictures
    ]
    return torch.from_numpy(np.stack([np.asarray(one) for one in resized])).permute(0, 3, 1, 2)


def as_input(pictures: Tensor) -> Tensor:
    """In 0…1."""
    return pictures.float() / 255


def save(classifier: StyleClassifier, folder: Path) -> Path:
    """Write it into `folder`; raises FileError."""
    labels = {
        "styles": classifier.styles,
        "width": classifier.width,
        "unseen": classifier.unseen,
    }
    return labelled_weights.write(folder / FILE, classifier.network, labels)


def load(folder: Path) -> StyleClassifier:
    """What `save` wrote into `folder`; raises FileError."""
    tensors, labels = labelled_weights.read(folder / FILE, "style classifier")
    network = Network(len(labels["styles"]), labels["width"])
    network.load_state_dict(tensors)
    return StyleClassifier(
        network, tuple(labels["styles"]), labels["width"], tuple(labels["unseen"])
    )
