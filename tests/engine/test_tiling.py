"""Tiles: what they cost in memory does not grow with the picture."""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import EngineError
from engine.picture_networks.tiling import Planes, Tick, colors_only, run_tiled


@dataclass(frozen=True)
class Twice:
    """Each pixel becomes four; `lost` of them on each side are not given back."""

    scale: int = 2
    margin: int = 8
    fade: int = 4
    tile: int = 64
    parts: int = 1
    lost: int = 0

    def run(self, planes: Planes, tick: Tick) -> Planes:
        large = planes.repeat(2, axis=1).repeat(2, axis=2)
        inner = slice(self.lost, -self.lost or None)
        return large[:, inner, inner]


@given(
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    tile=st.integers(5, 80),
    margin=st.integers(0, 20),
    fade=st.integers(0, 4),
    lost=st.integers(0, 6),
    scale=st.sampled_from((1, 2)),
)
def test_every_pixel_comes_to_its_place(
    height: int, width: int, tile: int, margin: int, fade: int, lost: int, scale: int
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)
    network = Twice(margin=margin + lost, fade=min(fade, tile // 2), tile=tile, lost=lost)
    made = run_tiled(network, pixels, lambda e: None, "", scale=scale, through=colors_only)
    assert np.array_equal(made, pixels.repeat(scale, axis=0).repeat(scale, axis=1))


class Overflowing(Twice):
    """As a network that was made for more precision than it is run in."""

    def run(self, planes: Planes, tick: Tick) -> Planes:
        made = super().run(planes, tick)
        made[0, 40, 40] = np.nan
        return made


def test_what_is_no_number_never_becomes_a_pixel() -> None:
    with pytest.raises(EngineError, match="no numbers"):
        pixels = np.zeros((9, 9, 3), np.uint8)
        run_tiled(Overflowing(), pixels, lambda e: None, "", scale=2, through=colors_only)


@pytest.mark.parametrize("size", [1024, 2048])
def test_memory_does_not_grow_with_the_picture(size: int) -> None:
    pixels = np.zeros((size, size, 3), np.uint8)
    tracemalloc.start()
    made = run_tiled(Twice(tile=256), pixels, lambda e: None, "", scale=2, through=colors_only)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most - made.nbytes < 40_000_000
