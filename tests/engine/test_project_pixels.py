"""Pixels of a project: every premultiplied pixel comes back, and damaged PNGs are refused."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from engine.projects.pixels import (
    decode_layer,
    decode_mask,
    encode_layer,
    encode_mask,
    premultiplied,
    size_of,
    straight,
)


def every_pixel() -> np.ndarray:
    """Each alpha with each colour that can lie under it, premultiplied."""
    alpha, colour = np.meshgrid(np.arange(256), np.arange(256), indexing="ij")
    colour = np.minimum(colour, alpha)
    return np.stack([colour, colour // 2, alpha - colour, alpha], axis=2).astype(np.uint8)


def noise(width: int, height: int, seed: int, opaque: bool = False) -> np.ndarray:
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 256, (height, width, 4), np.uint8)
    if opaque:
        pixels[:, :, 3] = 255
    return premultiplied(pixels)


def test_every_premultiplied_pixel_comes_back() -> None:
    pixels = every_pixel()
    assert np.array_equal(premultiplied(straight(pixels)), pixels)
    assert np.array_equal(decode_layer(encode_layer(pixels)), pixels)


@settings(max_examples=30)
@given(st.integers(1, 40), st.integers(1, 600), st.integers(0, 99), st.sampled_from([True, False]))
def test_any_size_comes_back(width: int, height: int, seed: int, opaque: bool) -> None:
    pixels = noise(width, height, seed, opaque)
    png = encode_layer(pixels)
    assert size_of(png) == (width, height)
    assert np.array_equal(decode_layer(png), pixels)
    mask = pixels[:, :, 0]
    assert np.array_equal(decode_mask(encode_mask(mask)), mask)


def test_other_programs_see_straight_colours() -> None:
    half = np.array([[[64, 32, 0, 128]]], np.uint8)
    with Image.open(io.BytesIO(encode_layer(half))) as image:
        assert image.mode == "RGBA"
        assert image.getpixel((0, 0)) == (128, 64, 0, 128)
    with Image.open(io.BytesIO(encode_layer(noise(3, 3, 1, opaque=True)))) as image:
        assert image.mode == "RGB"


def test_a_pillow_png_is_read_too() -> None:
    image = Image.new("LA", (5, 4), (200, 100))
    stream = io.BytesIO()
    image.save(stream, "PNG")
    assert decode_layer(stream.getvalue())[0, 0].tolist() == [78, 78, 78, 100]


def test_a_png_cut_short_anywhere_is_refused() -> None:
    png = encode_layer(noise(20, 20, 3))
    for length in range(0, len(png) - 16, 7):
        with pytest.raises(ValueError):
            decode_layer(png[:length])


@pytest.mark.parametrize("side", [0, 40_000, 2**31])
def test_an_impossible_size_is_refused_before_memory_is_taken(side: int) -> None:
    png = bytearray(encode_layer(noise(4, 4, 1)))
    png[16:20] = side.to_bytes(4, "big")
    png[20:24] = (40_000).to_bytes(4, "big")
    with pytest.raises(ValueError, match="claims"):
        decode_layer(bytes(png))


def test_another_format_under_the_name_is_refused() -> None:
    stream = io.BytesIO()
    Image.new("RGB", (4, 4)).save(stream, "WEBP")
    with pytest.raises(ValueError, match="no PNG"):
        decode_layer(stream.getvalue())
