"""Trains the embedded digits classifier again: `python -m engine.quality.learn_digits`.

It learns from the part of the embedded digits that trainers learn from too, and prints how many of
the held-out ones it reads. On the same machine and torch the weights come out the same; elsewhere
they differ in the last bits, which is why their hash stands beside every number.
"""

from __future__ import annotations

import sys
from pathlib import Path

from engine import device, files
from engine.data import digits
from engine.data.held_out import split
from engine.quality.feature_space import CLASSIFIER, HELD_OUT

EPOCHS = 20
SEED = 1


def learn(path: Path, epochs: int = EPOCHS) -> float:
    """Write the weights to `path`; returns the accuracy on the held-out digits."""
    import torch
    from safetensors.torch import save

    from engine.models import digit_classifier
    from engine.models.gan import from_pixels

    torch.set_num_threads(1)  # more would add in another order
    images, labels = digits.load_digits()
    learned, held = split(len(images), HELD_OUT, len(images))
    inputs, targets = from_pixels(torch.from_numpy(images)), torch.from_numpy(labels).long()
    network = digit_classifier.learn(inputs[learned], targets[learned], epochs, SEED)
    answers = network(inputs[held]).argmax(1)
    accuracy = float((answers == targets[held]).float().mean())
    told = {"accuracy": f"{accuracy:.4f} of {len(held)} held-out digits"}
    files.write_bytes(path, save(network.state_dict(), told))
    return accuracy


if __name__ == "__main__":
    device.prepare_environment()
    sys.stdout.write(f"held-out accuracy {learn(CLASSIFIER):.2%}\n")
