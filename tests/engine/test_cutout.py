"""Drawings with known edges are cut out of their paper, and regions are what a flood finds."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from engine.cutout import cut_out
from engine.regions import label_regions

SIDE, FINE = 128, 8
Color = tuple[int, int, int]
WHITE: Color = (255, 255, 255)
DARK: Color = (19, 20, 23)


def drawn(paper: Color, shapes: list[tuple[str, tuple[float, ...], Color]]) -> Image.Image:
    """Ellipses and rectangles with soft edges: drawn eight times as large, then shrunk."""
    image = Image.new("RGB", (SIDE * FINE, SIDE * FINE), paper)
    pen = ImageDraw.Draw(image)
    for kind, box, color in shapes:
        getattr(pen, kind)([round(edge * FINE) for edge in box], fill=color)
    return image.resize((SIDE, SIDE), Image.Resampling.BOX)


def on(paper: Color, cut: Image.Image) -> NDArray[np.float32]:
    sheet = Image.new("RGBA", cut.size, (*paper, 255))
    sheet.alpha_composite(cut)
    return np.asarray(sheet.convert("RGB")).astype(np.float32)


def opacity(cut: Image.Image, x: int, y: int) -> int:
    return int(np.asarray(cut)[y, x, 3])


DISC = [("ellipse", (20.3, 24.6, 100.4, 104.7), (200, 30, 60))]
OUTLINED = [
    ("ellipse", (20, 20, 108, 108), (90, 90, 100)),
    ("ellipse", (24, 24, 104, 104), WHITE),
    ("ellipse", (50, 50, 60, 60), (0, 0, 0)),
]


@pytest.mark.parametrize("paper", [WHITE, (30, 60, 40), (250, 245, 230)])
def test_on_another_paper_it_looks_as_if_it_had_been_drawn_there(paper: Color) -> None:
    cut = cut_out(drawn(paper, DISC))
    for other in (DARK, (200, 60, 160)):
        error = np.abs(on(other, cut) - np.asarray(drawn(other, DISC)).astype(np.float32))
        assert error.max() < 12, "no halo of the old paper"
        assert error.mean() < 0.3
    assert opacity(cut, 0, 0) == 0
    assert opacity(cut, 60, 60) == 255


def test_edges_are_soft_and_keep_the_colour_of_the_drawing() -> None:
    pixels = np.asarray(cut_out(drawn(WHITE, DISC)))
    soft = (pixels[..., 3] > 30) & (pixels[..., 3] < 225)
    assert soft.sum() > 50
    assert np.abs(pixels[soft][:, :3].astype(int) - (200, 30, 60)).max() < 12


def test_white_inside_an_outline_stays() -> None:
    cut = cut_out(drawn(WHITE, OUTLINED))
    assert opacity(cut, 80, 80) == 255
    assert np.asarray(cut)[80, 80, :3].tolist() == [255, 255, 255]
    assert opacity(cut, 5, 64) == 0
    error = np.abs(on(DARK, cut) - np.asarray(drawn(DARK, OUTLINED)).astype(np.float32))
    assert error.max() < 25


def test_enclosed_paper_goes_where_it_is_asked_for() -> None:
    ring = [
        ("ellipse", (20, 20, 108, 108), (20, 120, 200)),
        ("ellipse", (44, 44, 84, 84), WHITE),
    ]
    assert opacity(cut_out(drawn(WHITE, ring)), 64, 64) == 255
    assert opacity(cut_out(drawn(WHITE, ring), enclosed=True), 64, 64) == 0


def test_a_small_gap_in_the_outline_does_not_let_the_paper_in() -> None:
    broken = [*OUTLINED, ("rectangle", (63, 10, 65, 30), WHITE)]  # two pixels wide
    assert opacity(cut_out(drawn(WHITE, broken), gap=1), 80, 80) == 255
    assert opacity(cut_out(drawn(WHITE, broken), gap=0), 80, 80) == 0


def test_a_pale_drawing_without_an_outline_stays_whole() -> None:
    pale = [("rectangle", (30, 30, 98, 98), (238, 240, 243))]
    alpha = np.asarray(cut_out(drawn(WHITE, pale)))[..., 3]
    assert (alpha[32:96, 32:96] == 255).all()
    assert (alpha[:26] == 0).all()


def test_noise_of_the_model_on_the_paper_goes() -> None:
    pixels = np.asarray(drawn(WHITE, DISC)).copy()
    pixels[10:12, 110:112] = 240
    pixels[64, 2] = 235
    alpha = np.asarray(cut_out(Image.fromarray(pixels)))[..., 3]
    assert alpha[8:14, 108:114].max() == 0
    assert alpha[64, 2] == 0


def test_tolerance_decides_what_paper_is() -> None:
    stained = drawn((245, 245, 245), DISC)
    pixels = np.asarray(stained).copy()
    pixels[:, :10] = 233
    cut = Image.fromarray(pixels)
    assert opacity(cut_out(cut, tolerance=5), 4, 64) == 255
    assert opacity(cut_out(cut, tolerance=20), 4, 64) == 0


def test_after_enlarging_it_cuts_as_well() -> None:
    large = drawn(WHITE, DISC).resize((512, 512), Image.Resampling.BICUBIC)
    wanted = drawn(DARK, DISC).resize((512, 512), Image.Resampling.BICUBIC)
    error = np.abs(on(DARK, cut_out(large)) - np.asarray(wanted).astype(np.float32))
    assert error.max() < 40
    assert error.mean() < 0.5


def test_what_was_transparent_stays_so() -> None:
    once = cut_out(drawn(WHITE, OUTLINED))
    twice = cut_out(once)
    assert np.asarray(twice)[..., 3][0].max() == 0
    assert opacity(twice, 80, 80) == 255
    difference = np.abs(np.asarray(once).astype(int) - np.asarray(twice))[..., 3]
    assert difference.max() < 8


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (2, 3)])
def test_pictures_of_any_size_can_be_cut(size: tuple[int, int]) -> None:
    assert cut_out(Image.new("RGB", size, "white")).size == size
    assert cut_out(Image.new("RGBA", size)).size == size


# ------------------------------------------------------------------ regions

masks = st.integers(1, 9).flatmap(
    lambda width: st.lists(
        st.lists(st.booleans(), min_size=width, max_size=width), min_size=1, max_size=9
    )
)


def flooded(mask: NDArray[np.bool_], start: tuple[int, int]) -> set[tuple[int, int]]:
    found, waiting = {start}, deque([start])
    while waiting:
        y, x = waiting.popleft()
        for place in ((y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)):
            inside = 0 <= place[0] < mask.shape[0] and 0 <= place[1] < mask.shape[1]
            if inside and mask[place] and place not in found:
                found.add(place)
                waiting.append(place)
    return found


@given(masks)
def test_a_region_is_what_a_flood_reaches(rows: list[list[bool]]) -> None:
    mask = np.array(rows, bool)
    labels = label_regions(mask)
    assert ((labels > 0) == mask).all()
    assert set(np.unique(labels[mask])) == set(range(1, labels.max() + 1))
    for y, x in zip(*np.nonzero(mask), strict=True):
        assert set(zip(*np.nonzero(labels == labels[y, x]), strict=True)) == flooded(mask, (y, x))
