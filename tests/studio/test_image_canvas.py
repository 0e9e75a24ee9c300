"""The canvas by wheel, mouse and keyboard: what is under the cursor stays there."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from studio.theme import colors
from studio.widgets.image_canvas import LARGEST, MARGIN, SMALLEST, ImageCanvas

RED, BLUE = QColor("red"), QColor("blue")


def halves(width: int, height: int) -> QImage:
    """Red at the left, blue at the right."""
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(RED)
    for x in range(width // 2, width):
        for y in range(height):
            image.setPixelColor(x, y, BLUE)
    return image


@pytest.fixture
def canvas(qtbot: QtBot) -> ImageCanvas:
    canvas = ImageCanvas()
    qtbot.addWidget(canvas)
    canvas.resize(400, 300)
    with qtbot.waitActive(canvas):
        canvas.show()
        canvas.activateWindow()
    canvas.setFocus()
    canvas.show_image(halves(200, 100), Path("/somewhere/halves.png"))
    return canvas


def wheel(canvas: ImageCanvas, place: QPointF, notches: int) -> None:
    QTest.wheelEvent(canvas.windowHandle(), place, QPoint(0, 120 * notches))


def seen(canvas: ImageCanvas, x: float, y: float) -> str:
    return canvas.grab().toImage().pixelColor(round(x), round(y)).name()


def test_an_image_fits_with_a_margin_and_follows_the_window(canvas, qtbot) -> None:
    assert canvas.image_rect().width() == pytest.approx(400 - 2 * MARGIN)
    canvas.resize(800, 300)
    assert canvas.image_rect().height() == pytest.approx(300 - 2 * MARGIN)
    assert canvas.image_rect().center() == QPointF(400, 150)


@pytest.mark.parametrize("notches", [3, -3])
def test_the_wheel_zooms_around_the_cursor(canvas, notches: int) -> None:
    place = QPointF(120, 130)
    before = canvas._to_image(place)
    wheel(canvas, place, notches)
    after = canvas._to_image(place)
    assert (after.x(), after.y()) == pytest.approx((before.x(), before.y()), abs=0.01)
    assert (canvas.zoom > 1.8) is (notches > 0)


def test_zoom_has_limits(canvas) -> None:
    for _ in range(100):
        wheel(canvas, QPointF(200, 150), 5)
    assert canvas.zoom == LARGEST
    for _ in range(100):
        wheel(canvas, QPointF(200, 150), -5)
    assert canvas.zoom == SMALLEST


def test_keys_zoom_fit_and_show_single_pixels(canvas) -> None:
    fitted = canvas.zoom
    QTest.keyClick(canvas, Qt.Key.Key_Plus)
    assert canvas.zoom > fitted
    QTest.keyClick(canvas, Qt.Key.Key_F)
    assert canvas.zoom == fitted
    QTest.keyClick(canvas, Qt.Key.Key_1)
    assert canvas.zoom == 1
    assert canvas.image_rect().width() * canvas.devicePixelRatioF() == 200
    QTest.keyClick(canvas, Qt.Key.Key_Minus)
    assert canvas.zoom < 1
    QTest.keyClick(canvas, Qt.Key.Key_0)
    assert canvas.zoom == fitted


def test_dragging_a_zoomed_image_moves_it_with_the_hand(canvas) -> None:
    wheel(canvas, QPointF(200, 150), 8)
    before = canvas.image_rect().topLeft()
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(200, 150))
    QTest.mouseMove(canvas, QPoint(230, 140))
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(230, 140))
    moved = canvas.image_rect().topLeft() - before
    assert (moved.x(), moved.y()) == pytest.approx((30, -10), abs=0.5)


def test_arrow_keys_move_the_view_and_never_lose_the_image(canvas) -> None:
    wheel(canvas, QPointF(200, 150), 8)
    before = canvas.image_rect().left()
    QTest.keyClick(canvas, Qt.Key.Key_Left)
    assert canvas.image_rect().left() > before
    for _ in range(500):
        QTest.keyClick(canvas, Qt.Key.Key_Left)
    assert canvas.image_rect().left() == pytest.approx(200, abs=1)


def test_large_pixels_are_squares_and_small_ones_are_smooth(canvas) -> None:
    canvas.show_image(halves(2, 1), None)
    middle = canvas.image_rect().center()
    assert seen(canvas, middle.x() - 3, middle.y()) == RED.name()
    assert seen(canvas, middle.x() + 3, middle.y()) == BLUE.name()


def test_a_preview_is_enlarged_smoothly_to_the_final_size(canvas) -> None:
    canvas.show_preview(halves(4, 2), QSize(200, 100))
    assert canvas.image.size() == QSize(200, 100)
    middle = canvas.image_rect().center()
    assert seen(canvas, middle.x(), middle.y()) not in (RED.name(), BLUE.name())
    assert canvas.is_preview and canvas.path is None


def test_what_is_transparent_shows_a_checkerboard(canvas) -> None:
    image = QImage(20, 20, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    canvas.show_image(image, None)
    place = canvas.image_rect().toRect()
    shot = canvas.grab().toImage()
    row = {shot.pixelColor(x, place.center().y()).name() for x in range(170, 230)}
    assert row == {colors().checker_light.name(), colors().checker_dark.name()}


def test_the_zoom_is_kept_from_one_image_to_the_next_of_the_same_size(canvas) -> None:
    wheel(canvas, QPointF(120, 130), 3)
    zoom, place = canvas.zoom, canvas.image_rect()
    canvas.show_image(halves(200, 100), None)
    assert (canvas.zoom, canvas.image_rect()) == (zoom, place)
    canvas.show_image(halves(50, 50), None)
    assert canvas.image_rect().center() == QPointF(200, 150)


def test_nothing_is_there_and_nothing_breaks(qtbot) -> None:
    canvas = ImageCanvas()
    qtbot.addWidget(canvas)
    canvas.set_words("Loading …")
    canvas.show()
    for key in (Qt.Key.Key_Plus, Qt.Key.Key_1, Qt.Key.Key_F, Qt.Key.Key_Left):
        QTest.keyClick(canvas, key)
    QTest.mouseDClick(canvas, Qt.MouseButton.LeftButton)
    canvas.copy()
    assert canvas.image.isNull()
    assert canvas.image_rect().isEmpty()
    canvas.grab()
