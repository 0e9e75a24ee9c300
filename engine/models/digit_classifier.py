"""A small classifier of handwritten digits; what it sees in an image serves as a feature space.

As FID does with Inception (Heusel et al. 2017, 1706.08500): the layer before the answer knows what
an image shows better than its pixels do. For digits Inception knows little, LeNet-like nets much.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

SIZE = 28
FEATURES = 64
CLASSES = 10
BATCH = 100  # images in a step of learning


class DigitClassifier(nn.Module):
    """Images (N, 1, 28, 28) in [-1, 1] to logits (N, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 16, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.Conv2d(16, 32, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(32 * (SIZE // 4) ** 2, FEATURES),
            nn.ReLU(),
        )
        self.dropout = nn.Dropout(0.3)
        self.answer = nn.Linear(FEATURES, CLASSES)
        self.register_buffer("scale", torch.ones(()))

    def forward(self, images: Tensor) -> Tensor:
        return self.answer(self.dropout(self.layers(images)))

    def features(self, images: Tensor) -> Tensor:
        """(N, FEATURES) of images (N, 1 or 3, H, W); those of another size are made 28×28.

        Scaled so that the mean square is 1 over what was learned from: the polynomial kernel of KID
        is no use on numbers that are much larger or smaller.
        """
        gray = images.mean(1, keepdim=True)
        if gray.shape[-1] != SIZE:
            gray = F.interpolate(gray, (SIZE, SIZE), mode="bilinear", antialias=True)
        return self.layers(gray) / self.scale


def learn(images: Tensor, labels: Tensor, epochs: int, seed: int) -> DigitClassifier:
    """A classifier that has learned from images (N, 1, 28, 28) in [-1, 1] and labels (N,).

    Adam with a learning rate that falls to zero along a cosine, batches of 100, each image a little
    turned, stretched and shifted. Leaves torch's default random generator as it was.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = DigitClassifier()
        optimizer = torch.optim.Adam(network.parameters(), 2e-3)
        steps = epochs * -(-len(images) // BATCH)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        for _ in range(epochs):
            for batch in torch.randperm(len(images)).split(BATCH):
                loss = F.cross_entropy(network(_moved(images[batch])), labels[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
        with torch.no_grad():
            network.scale = network.features(images).square().mean().sqrt()
    return network.eval().requires_grad_(False)


def _moved(images: Tensor) -> Tensor:
    """Each image under an affine map of its own: about 10 degrees, 10 percent, 2 pixels."""
    count = len(images)
    maps = torch.eye(2, 3).repeat(count, 1, 1)
    maps[:, :, :2] += torch.randn(count, 2, 2) * 0.1
    maps[:, :, 2] = torch.rand(count, 2) * 0.3 - 0.15
    grid = F.affine_grid(maps, list(images.shape), align_corners=False)
    # An empty place is -1 here, and 0 for grid_sample.
    return F.grid_sample(images + 1, grid, align_corners=False) - 1
