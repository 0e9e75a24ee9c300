"""Sparse tiles: nothing is kept for what is transparent, and what is shared is never changed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QRect, QSize
from PySide6.QtGui import QColor, QImage, QPainter

from studio import images
from studio.canvas.tiles import FORMAT, SIDE, TileStore


def noise(seed: int, width: int, height: int) -> QImage:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 4), np.uint8)
    return images.from_array(pixels).convertToFormat(FORMAT)


places = st.builds(QPoint, st.integers(-600, 600), st.integers(-600, 600))


@given(place=places, width=st.integers(1, 600), height=st.integers(1, 600))
def test_what_is_put_is_what_comes_back(place: QPoint, width: int, height: int) -> None:
    image = noise(1, width, height)
    store = TileStore.from_image(image, place)
    assert store.image(QRect(place, image.size())) == image
    around = store.image(QRect(place, image.size()).adjusted(-1, -1, 1, 1))
    assert around.pixelColor(0, 0).alpha() == 0
    assert around.copy(1, 1, width, height) == image


@given(first=places, by=places)
def test_moving_there_and_back_restores_every_pixel(first: QPoint, by: QPoint) -> None:
    store = TileStore.from_image(noise(2, 300, 200), first)
    before = store.copy()
    store.move(by)
    assert store.image(QRect(first + by, QSize(300, 200))) == noise(2, 300, 200)
    store.move(QPoint() - by)
    assert store == before


def test_only_tiles_with_pixels_are_kept() -> None:
    store = TileStore.from_image(noise(1, 10, 10), QPoint(SIDE * 3, SIDE * 5))
    assert store.keys() == [(3, 5)]
    with store.paint(QRect(SIDE * 3, SIDE * 5, 10, 10)) as painter:
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Clear)
        painter.fillRect(QRect(0, 0, 9999, 9999), QColor("red"))
    assert store.is_empty
    assert store.bounds().isEmpty()


def test_painting_changes_nothing_outside_its_rectangle() -> None:
    store = TileStore()
    with store.paint(QRect(250, 250, 20, 20)) as painter:
        painter.fillRect(QRect(0, 0, 999, 999), QColor("red"))
    assert store.bounds() == QRect(250, 250, 20, 20)
    assert len(store.keys()) == 4


def test_bounds_hold_exactly_what_is_not_transparent() -> None:
    store = TileStore()
    for place in (QPoint(-300, 40), QPoint(700, -20), QPoint(100, 900)):
        store.put(noise(3, 1, 1), place)
    assert store.bounds() == QRect(QPoint(-300, -20), QPoint(700, 900))


def test_a_snapshot_and_a_copy_stay_as_they_were() -> None:
    store = TileStore.from_image(noise(1, 600, 600))
    taken, copied = store.snapshot(), store.copy()
    with store.paint(QRect(0, 0, 600, 600)) as painter:
        painter.fillRect(QRect(0, 0, 600, 600), QColor("red"))
    assert copied.image() == noise(1, 600, 600)
    store.restore(taken)
    assert store == copied


def test_an_image_of_another_format_is_premultiplied() -> None:
    straight = QImage(3, 3, QImage.Format.Format_RGBA8888)
    straight.fill(QColor(255, 0, 0, 128))
    pixel = TileStore.from_image(straight).image(QRect(0, 0, 1, 1))
    assert pixel.format() == FORMAT
    assert pixel.pixel(0, 0) == 0x80800000


@pytest.mark.parametrize("size", [QSize(64, 64), QSize(400, 400), QSize(1, 1)])
def test_a_thumbnail_has_the_shape_and_colours_of_the_whole(size) -> None:
    store = TileStore()
    with store.paint(QRect(0, 0, 1600, 800)) as painter:
        painter.fillRect(QRect(0, 0, 800, 800), QColor("red"))
        painter.fillRect(QRect(800, 0, 800, 800), QColor("blue"))
    small = store.thumbnail(QRect(0, 0, 1600, 800), size)
    assert small.width() == size.width()
    if size.width() > 1:
        assert small.height() == size.height() // 2
        assert small.pixelColor(small.width() // 4, 5) == QColor("red")
        assert small.pixelColor(small.width() * 3 // 4, 5) == QColor("blue")
    assert store.thumbnail(QRect(), size).isNull()
