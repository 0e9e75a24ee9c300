"""Frames are drawn where the picture changes, and are never lost or doubled."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops

from engine.frame_places import NEAREST, BlendedFrames, FrameShelf, fill


def grey(value: float) -> Image.Image:
    return Image.new("RGB", (8, 8), (round(255 * value),) * 3)


def late(place: float) -> float:
    """A picture that stands still for most of the way, and changes in its last tenth."""
    return min(1.0, max(0.0, (place - 0.9) * 10))


def filled(count: int, value=late) -> FrameShelf:
    shelf = FrameShelf()
    shelf.put(0.0, grey(value(0.0)))
    shelf.put(1.0, grey(value(1.0)))
    list(fill(shelf, 0.0, count, lambda place: grey(value(place))))
    return shelf


def test_the_steps_are_as_even_as_halving_can_make_them() -> None:
    shelf = filled(30)
    steps = [shelf.difference(n) for n in range(len(shelf) - 1)]
    evenly = [late((n + 1) / 31) - late(n / 31) for n in range(31)]
    assert max(steps) < 0.07 < 0.3 < max(evenly)
    assert sum(place > 0.9 for place in shelf.places) >= 15


def test_what_jumps_takes_no_more_frames_than_it_can_use() -> None:
    shelf = filled(60, lambda place: float(place > 0.3))
    gaps = [b - a for a, b in itertools.pairwise(shelf.places)]
    assert min(gaps) == NEAREST
    assert max(gaps) <= 1 / 16, "the others go where the way is widest"


@given(st.integers(0, 40), st.integers(0, 7))
def test_as_many_as_were_asked_for_in_their_order(count: int, blended: int) -> None:
    shelf = filled(count, lambda place: place)
    assert len(shelf) == count + 2
    assert shelf.places == sorted(set(shelf.places))
    frames = BlendedFrames(shelf, blended)
    assert len(frames) == (count + 1) * (blended + 1) + 1
    values = [frames.frame(n).getpixel((0, 0))[0] for n in range(len(frames))]
    assert values == sorted(values)
    assert (values[0], values[-1]) == (0, 255)


@pytest.mark.parametrize("number", [0, 1, 2, 5])
def test_a_frame_is_what_was_put_there(number: int) -> None:
    shelf = FrameShelf()
    pictures = [Image.effect_noise((20, 10), 60).convert("RGB") for _ in range(6)]
    for place in (3, 0, 5, 1, 4, 2):
        shelf.put(float(place), pictures[place])
    assert ImageChops.difference(shelf.frame(number), pictures[number]).getbbox() is None
