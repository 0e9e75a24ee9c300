"""Masks: soft edges that end where they should, whole squares for a model, clear errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from engine.errors import FileError, InvalidTask
from engine.masks import (
    Soften,
    feathered,
    feathered_outwards,
    in_squares,
    laid_on,
    left_to_draw,
    open_mask,
    softened_within,
)
from engine.regions import label_regions

Values = NDArray[np.uint8]


def near(marked: NDArray[np.bool_], distance: int) -> NDArray[np.bool_]:
    """What lies at most so many pixels from what is marked, diagonals counted as one."""
    found = np.zeros_like(marked)
    for y, x in zip(*np.nonzero(marked), strict=True):
        top, left = max(0, y - distance), max(0, x - distance)
        found[top : y + distance + 1, left : x + distance + 1] = True
    return found


@st.composite
def masks(draw: st.DrawFn) -> Image.Image:
    """A few white and gray rectangles on black."""
    width, height = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    values = np.zeros((height, width), np.uint8)
    for _ in range(draw(st.integers(0, 3))):
        x, y = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
        w, h = draw(st.integers(1, width)), draw(st.integers(1, height))
        values[y : y + h, x : x + w] = draw(st.sampled_from((255, 255, 128, 1)))
    return Image.fromarray(values)


@given(masks(), st.integers(0, 12))
def test_a_feather_changes_nothing_outside_and_nothing_deep_inside(
    mask: Image.Image, feather: int
) -> None:
    before, after = np.asarray(mask), np.asarray(feathered(mask, feather))
    assert (after[before == 0] == 0).all()
    assert (after[before > 0] > 0).all()
    assert (after <= before).all()
    deep = ~near(before == 0, feather)
    assert (after[deep] == before[deep]).all()


def test_a_feather_rises_from_the_edge_inwards() -> None:
    mask = Image.new("L", (60, 60))
    mask.paste(255, (0, 0, 30, 60))
    row = np.asarray(feathered(mask, 8))[30].astype(int)
    assert row[30] == 0
    assert row[21] == 255 > row[22]
    assert set(np.diff(row[21:31])) == {-28, -29}, "in even steps"
    assert (row[:21] == 255).all(), "the edge of the picture is none of the mask"


@pytest.mark.parametrize("width", [1, 2, 3, 7, 16])
def test_a_line_thinner_than_the_feather_does_not_fade_away(width: int) -> None:
    mask = Image.new("L", (100, 100))
    mask.paste(255, (40, 0, 40 + width, 100))
    mask.paste(255, (10, 20, 90, 80))  # that it comes out of something broad changes nothing
    column = np.asarray(feathered(mask, 64))[:10, 40 : 40 + width]
    assert (column[:, [(width - 1) // 2, width // 2]] == 255).all()
    assert width < 3 or (column[:, [0, -1]] < 255 * 0.6).all()


@given(masks(), st.integers(1, 12))
def test_every_part_is_somewhere_as_white_as_before(mask: Image.Image, feather: int) -> None:
    before, after = np.asarray(mask), np.asarray(feathered(mask, feather))
    parts = label_regions(before > 0)
    for part in range(1, parts.max() + 1):
        here = parts == part
        touching = near(here, 1) & (before > 0)  # a corner that touches a broader part
        assert (after == before)[touching if (touching & ~here).any() else here].any()


def test_a_disc_fades_evenly_to_all_sides() -> None:
    mask = Image.new("L", (101, 101))
    ImageDraw.Draw(mask).ellipse((10, 10, 90, 90), fill=255)
    soft = np.asarray(feathered(mask, 20)).astype(int)
    ring = [soft[50, 20], soft[20, 50], soft[29, 29], soft[71, 29], soft[38, 22]]
    assert max(ring) - min(ring) < 255 * 0.12


def test_a_feather_leaves_gray_what_is_gray() -> None:
    mask = Image.new("L", (60, 60))
    mask.paste(100, (0, 0, 30, 60))
    row = np.asarray(feathered(mask, 8))[30]
    assert (row[:22] == 100).all()
    assert row[29] < 20


def test_outwards_a_feather_spares_what_is_white_and_ends_where_it_says() -> None:
    mask = Image.new("L", (60, 60))
    mask.paste(255, (0, 0, 30, 60))
    row = np.asarray(feathered_outwards(mask, 8))[30].astype(int)
    assert (row[:30] == 255).all()
    assert row[37] > 0 == row[38]
    assert set(np.diff(row[29:39])) == {-28, -29}, "in even steps"


@given(masks(), st.integers(0, 9), st.sampled_from((feathered, feathered_outwards)), st.data())
def test_a_part_of_a_softened_mask_is_that_part_of_the_whole(
    mask: Image.Image, feather: int, soften: Soften, data: st.DataObject
) -> None:
    left, top = (data.draw(st.integers(0, side - 1)) for side in mask.size)
    box = (left, top, mask.width, data.draw(st.integers(top + 1, mask.height)))
    part = softened_within(box, mask, feather, soften)
    assert part.tobytes() == soften(mask, feather).crop(box).tobytes()


@given(masks(), st.sampled_from((1, 2, 8)), st.integers(1, 6), st.integers(1, 6))
def test_a_model_draws_every_square_that_the_mask_touches(
    mask: Image.Image, square: int, columns: int, rows: int
) -> None:
    size = (columns * square, rows * square)
    found = np.asarray(in_squares(mask, size, square))
    assert found.shape == size[::-1]
    assert set(np.unique(found)) <= {0, 255}
    blocks = found.reshape(rows, square, columns, square)
    assert (blocks == blocks[:, :1, :, :1]).all(), "squares are whole"
    assert (mask.getbbox() is not None) == bool(found.any())
    if mask.size == size:
        assert (found[np.asarray(mask) > 0] == 255).all()


def test_what_is_transparent_lies_on_paper() -> None:
    image = Image.new("RGBA", (2, 1), (255, 0, 0, 0))
    image.putpixel((1, 0), (255, 0, 0, 255))
    on_white, on_black = laid_on("white", image), laid_on("black", image)
    assert [on_white.getpixel((x, 0)) for x in (0, 1)] == [(255, 255, 255), (255, 0, 0)]
    assert [on_black.getpixel((x, 0)) for x in (0, 1)] == [(0, 0, 0), (255, 0, 0)]


def test_a_mask_may_be_of_any_kind(tmp_path: Path) -> None:
    white = Image.new("RGBA", (4, 4), (255, 255, 255, 0))
    white.paste((255, 255, 255, 255), (0, 0, 2, 4))
    for number, image in enumerate((white, laid_on("black", white))):
        image.save(tmp_path / f"{number}.png")
        mask = open_mask(tmp_path / f"{number}.png", (4, 4))
        assert mask.mode == "L"
        assert np.asarray(mask).tolist() == [[255, 255, 0, 0]] * 4


@pytest.mark.parametrize(
    ("image", "message"),
    [(Image.new("L", (4, 4)), "black all over"), (Image.new("L", (4, 3), 255), "4 × 3 pixels")],
)
def test_a_mask_that_says_nothing_or_of_another_size_is_refused(
    image: Image.Image, message: str, tmp_path: Path
) -> None:
    image.save(tmp_path / "mask.png")
    with pytest.raises(InvalidTask, match=message) as caught:
        open_mask(tmp_path / "mask.png", (4, 4))
    assert caught.value.field == "mask"
    assert caught.value.hint


def test_what_is_no_picture_is_no_mask(tmp_path: Path) -> None:
    (tmp_path / "mask.png").write_text("white")
    with pytest.raises(FileError, match=r"mask\.png"):
        open_mask(tmp_path / "mask.png", (4, 4))


def test_pieces_in_which_nothing_is_empty_are_left_out() -> None:
    # A piece as high as the canvas has drawn what is above and below on its way to the right.
    assert left_to_draw((150, 100), (0, 10, 100, 90), (100, 100)) == [
        (50, 0, 150, 100),
        (0, 0, 100, 100),
    ]
    assert left_to_draw((50, 50), (0, 0, 50, 50), (10, 10)) == []
