"""The spaces in which images are compared: each has a name and a hash, told with every number."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine import folders
from engine.gate.weights import check_safetensors

if TYPE_CHECKING:
    from torch import Tensor, nn

CLASSIFIER = folders.RESOURCES / "models" / "digits-classifier" / "model.safetensors"
HELD_OUT = 0.2
"""The part of the digits that the classifier has not learned from."""
BATCH = 250


@dataclass(frozen=True)
class FeatureSpace:
    """`sha256` is that of the weights: numbers of two spaces must never be compared."""

    name: str
    sha256: str
    _see: Callable[[Tensor], Tensor]

    @property
    def label(self) -> str:
        """The name and the beginning of the hash, as it stands beside a number."""
        return f"{self.name} {self.sha256[:6]}"

    def features(self, images: NDArray[np.uint8]) -> Tensor:
        """(N, D) in float64 of images uint8 (N, H, W, C)."""
        import torch

        from engine.models.gan import from_pixels

        with torch.inference_mode():
            parts = torch.from_numpy(np.ascontiguousarray(images)).split(BATCH)
            return torch.cat([self._see(from_pixels(part)).double() for part in parts])


def space_for(dataset: str) -> FeatureSpace:
    """The digits classifier for the embedded digits, a frozen random network for any others.

    Raises ModelError when the embedded weights are gone. torch's default random generator stays as
    it was.
    """
    return _digits() if dataset == "digits" else _random()


def _digits() -> FeatureSpace:
    import torch
    from safetensors.torch import load_file

    from engine.models.digit_classifier import DigitClassifier

    with torch.random.fork_rng(devices=[]):
        network = DigitClassifier()
    check_safetensors(CLASSIFIER)
    network.load_state_dict(load_file(CLASSIFIER))
    network.eval().requires_grad_(False)
    return FeatureSpace("digits classifier", _hash(network), network.features)


def _random() -> FeatureSpace:
    from engine.models.random_features import RandomFeatures

    network = RandomFeatures()
    return FeatureSpace("frozen random convolutions", _hash(network), network)


def _hash(network: nn.Module) -> str:
    """Of the weights alone, in the order of their names: the same whatever file they came in."""
    found = hashlib.sha256()
    for name, values in sorted(network.state_dict().items()):
        found.update(name.encode() + values.numpy().tobytes())
    return found.hexdigest()
