"""The piece that both judges of stickers are made of."""

from __future__ import annotations

from torch import nn


def convolution(inner: int, outer: int, stride: int = 1, last: bool = False) -> nn.Module:
    """3×3 with batch norm, and a ReLU unless it is the `last` before a sum."""
    layers = [nn.Conv2d(inner, outer, 3, stride, 1, bias=False), nn.BatchNorm2d(outer)]
    return nn.Sequential(*layers, *([] if last else [nn.ReLU(inplace=True)]))
