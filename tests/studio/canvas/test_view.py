"""The canvas by wheel, mouse, pen and keyboard; what is seen of document, result and selection."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, QRect, QRectF, QSize, Qt, QUrl
from PySide6.QtGui import (
    QColor,
    QCursor,
    QDropEvent,
    QGuiApplication,
    QImage,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPointingDevice,
    QSinglePointEvent,
    QTabletEvent,
    QUndoStack,
    QWheelEvent,
)
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio import images
from studio.canvas.document import Document
from studio.canvas.layer import Layer, LayerKind
from studio.canvas.selection import Selection
from studio.canvas.tiles import FORMAT, TileStore
from studio.canvas.view import CanvasView, Staged
from studio.theme import colors
from studio.widgets.viewport import LARGEST, MARGIN, SMALLEST

RED, BLUE, GREEN = "#ff0000", "#0000ff", "#00ff00"


def halves(width: int, height: int) -> QImage:
    """Red at the left, blue at the right."""
    image = QImage(width, height, FORMAT)
    image.fill(QColor(BLUE))
    with QPainter(image) as painter:
        painter.fillRect(0, 0, width // 2, height, QColor(RED))
    return image


def plain(color: str, width: int = 200, height: int = 100) -> QImage:
    image = QImage(width, height, FORMAT)
    image.fill(QColor(color))
    return image


class Recorder:
    """A tool that writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, QPointF, float]] = []
        self.keys: list[int] = []
        self.is_busy = False
        self.takes_keys = False
        self.cursor = QCursor(Qt.CursorShape.CrossCursor)

    def _note(self, what: str, event: QSinglePointEvent) -> None:
        pressure = event.pressure() if isinstance(event, QTabletEvent) else 1.0
        self.told.append((what, event.position(), pressure))

    def press(self, event: QSinglePointEvent) -> None:
        self._note("press", event)

    def move(self, event: QSinglePointEvent) -> None:
        self._note("move", event)

    def release(self, event: QSinglePointEvent) -> None:
        self._note("release", event)

    def hover(self, event: QSinglePointEvent) -> None:
        self._note("hover", event)

    def key(self, event: QKeyEvent) -> bool:
        self.keys.append(event.key())
        return self.takes_keys

    def overlay(self, painter: QPainter) -> None:
        painter.fillRect(0, 0, 5, 5, QColor(GREEN))

    def names(self) -> list[str]:
        return [name for name, _, _ in self.told]


@pytest.fixture
def document(qapp) -> Document:
    return Document.from_image(halves(200, 100), QUndoStack(), "halves")


@pytest.fixture
def view(qtbot: QtBot, document: Document) -> CanvasView:
    view = CanvasView(document)
    qtbot.addWidget(view)
    view.resize(400, 300)
    with qtbot.waitActive(view):
        view.show()
        view.activateWindow()
    view.setFocus()
    return view


def wheel(view: CanvasView, place: QPointF, notches: int) -> None:
    QTest.wheelEvent(view.windowHandle(), place, QPoint(0, 120 * notches))


def place_of(view: CanvasView) -> QRectF:
    return view.viewport.picture_rect()


def painted_areas(view: CanvasView) -> list[QRect]:
    """Which parts of the view are painted from now on."""
    areas: list[QRect] = []
    original = view.paintEvent

    def note(event: QPaintEvent) -> None:
        areas.append(event.rect())
        original(event)

    view.paintEvent = note  # type: ignore[method-assign]
    return areas


def seen(view: CanvasView, x: float, y: float) -> str:
    """The colour where that point of the document is."""
    place = view.from_document(QPointF(x, y)).toPoint()
    return view.grab().toImage().pixelColor(place).name()


# ------------------------------------------------------------------ zoom and pan


def test_a_document_fits_with_a_margin_and_follows_the_window(view) -> None:
    assert place_of(view).width() == pytest.approx(400 - 2 * MARGIN)
    view.resize(800, 300)
    assert place_of(view).height() == pytest.approx(300 - 2 * MARGIN)
    assert place_of(view).center() == QPointF(400, 150)


@pytest.mark.parametrize("notches", [3, -3])
def test_the_wheel_zooms_around_the_cursor(view, notches: int) -> None:
    place = QPointF(120, 130)
    before = view.to_document(place)
    wheel(view, place, notches)
    after = view.to_document(place)
    pixel = 1.01 / min(view.zoom, 1.8)  # the picture lies on whole pixels of the screen
    assert (after.x(), after.y()) == pytest.approx((before.x(), before.y()), abs=pixel)
    assert (view.zoom > 1.8) is (notches > 0)


def test_places_go_there_and_back(view) -> None:
    wheel(view, QPointF(33, 44), 2)
    back = view.from_document(view.to_document(QPointF(120.25, 130.5)))
    assert (back.x(), back.y()) == pytest.approx((120.25, 130.5))


def test_zoom_has_limits(view) -> None:
    for _ in range(40):
        wheel(view, QPointF(200, 150), 5)
    assert view.zoom == LARGEST
    for _ in range(80):
        wheel(view, QPointF(200, 150), -5)
    assert view.zoom == SMALLEST


def test_keys_zoom_fit_and_show_single_pixels(view) -> None:
    fitted = view.zoom
    QTest.keyClick(view, Qt.Key.Key_Plus)
    assert view.zoom > fitted
    QTest.keyClick(view, Qt.Key.Key_F)
    assert view.zoom == fitted
    QTest.keyClick(view, Qt.Key.Key_1)
    assert view.zoom == 1
    assert place_of(view).width() * view.devicePixelRatioF() == 200
    QTest.keyClick(view, Qt.Key.Key_Minus)
    assert view.zoom < 1
    QTest.keyClick(view, Qt.Key.Key_0)
    assert view.zoom == fitted


@pytest.mark.parametrize("way", ["middle button", "space", "no tool"])
def test_the_picture_is_moved_by_the_hand(view, way: str) -> None:
    tool = Recorder()
    view.set_tool(None if way == "no tool" else tool)
    wheel(view, QPointF(200, 150), 8)
    tool.told.clear()
    button = Qt.MouseButton.LeftButton
    if way == "middle button":
        button = Qt.MouseButton.MiddleButton
    if way == "space":
        QTest.keyPress(view, Qt.Key.Key_Space)
        assert view.cursor().shape() == Qt.CursorShape.OpenHandCursor
    before = place_of(view).topLeft()
    QTest.mousePress(view, button, pos=QPoint(200, 150))
    assert view.cursor().shape() == Qt.CursorShape.ClosedHandCursor
    QTest.mouseMove(view, QPoint(230, 140))
    QTest.mouseRelease(view, button, pos=QPoint(230, 140))
    moved = place_of(view).topLeft() - before
    assert (moved.x(), moved.y()) == pytest.approx((30, -10), abs=1)
    assert "press" not in tool.names()
    QTest.keyRelease(view, Qt.Key.Key_Space)
    expected = Qt.CursorShape.ArrowCursor if way == "no tool" else Qt.CursorShape.CrossCursor
    assert view.cursor().shape() == expected


def test_a_space_bar_that_is_let_go_elsewhere_holds_nothing(view) -> None:
    tool = Recorder()
    view.set_tool(tool)
    QTest.keyPress(view, Qt.Key.Key_Space)
    view.clearFocus()
    assert view.cursor().shape() == Qt.CursorShape.CrossCursor
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(200, 150))
    assert "press" in tool.names()


def test_arrow_keys_move_the_view_and_never_lose_the_picture(view) -> None:
    wheel(view, QPointF(200, 150), 8)
    before = place_of(view).left()
    QTest.keyClick(view, Qt.Key.Key_Left)
    assert place_of(view).left() > before
    for _ in range(200):
        QTest.keyClick(view, Qt.Key.Key_Left)
    assert place_of(view).left() == pytest.approx(200, abs=1)


def test_two_fingers_on_a_touchpad_move_and_with_control_zoom(view) -> None:
    touchpad = QPointingDevice(
        "touchpad",
        7,
        QPointingDevice.DeviceType.TouchPad,
        QPointingDevice.PointerType.Finger,
        QPointingDevice.Capability.Position | QPointingDevice.Capability.PixelScroll,
        2,
        0,
    )

    def scroll(modifiers: Qt.KeyboardModifier) -> None:
        event = QWheelEvent(
            *(QPointF(200, 150), QPointF(200, 150), QPoint(10, 20), QPoint(60, 120)),
            *(Qt.MouseButton.NoButton, modifiers, Qt.ScrollPhase.ScrollUpdate, False),
            *(Qt.MouseEventSource.MouseEventNotSynthesized, touchpad),
        )
        QApplication.sendEvent(view, event)

    before, zoom = place_of(view).topLeft(), view.zoom
    scroll(Qt.KeyboardModifier.NoModifier)
    moved = place_of(view).topLeft() - before
    assert (moved.x(), moved.y()) == pytest.approx((10, 20), abs=1)
    assert view.zoom == zoom
    scroll(Qt.KeyboardModifier.ControlModifier)
    assert view.zoom > zoom


def test_the_zoom_is_kept_while_the_size_is_and_else_the_picture_fits_again(view) -> None:
    wheel(view, QPointF(120, 130), 3)
    zoom, place = view.zoom, place_of(view)
    view.set_staged(Staged(plain(GREEN), QRect(0, 0, 200, 100)))
    assert (view.zoom, place_of(view)) == (zoom, place)
    view.document.resize(QRect(0, 0, 50, 50))
    reached = view.viewport.transform().mapRect(QRectF(0, 0, 200, 100))
    assert reached.center() == QPointF(200, 150), "what is staged beyond the picture is in sight"
    view.set_staged(None)
    assert place_of(view).center() == QPointF(200, 150)


# ------------------------------------------------------------------ what is seen


def test_large_pixels_are_squares_and_small_ones_are_smooth(qtbot, view) -> None:
    view.document.open_image(halves(2, 1), "two pixels")
    middle = place_of(view).center()
    shot = view.grab().toImage()
    assert shot.pixelColor(round(middle.x()) - 3, round(middle.y())).name() == RED
    assert shot.pixelColor(round(middle.x()) + 3, round(middle.y())).name() == BLUE


def test_what_is_transparent_shows_a_checkerboard(view) -> None:
    view.document.clear()
    y = round(place_of(view).center().y())
    shot = view.grab().toImage()
    row = {shot.pixelColor(x, y).name() for x in range(170, 230)}
    assert row == {colors().checker_light.name(), colors().checker_dark.name()}


def test_a_change_of_the_document_is_seen_at_once_and_only_it_is_painted(view, qtbot) -> None:
    QTest.qWait(50)
    painted = painted_areas(view)
    with view.document.edit(view.document.active, "Brush") as edit:
        edit.put(plain(GREEN, 10, 10), QPoint(20, 20))
    qtbot.waitUntil(lambda: bool(painted))
    whole = view.from_document(QPointF(30, 30)) - view.from_document(QPointF(20, 20))
    assert painted[0].width() < whole.x() + 20
    assert seen(view, 25, 25) == GREEN


def test_a_result_that_reaches_beyond_the_document_is_all_in_view(view) -> None:
    alone = view.zoom
    view.set_staged(Staged(plain(GREEN, 400, 300), QRect(-100, 0, 400, 300)))
    corners = (view.from_document(QPointF(-100, 0)), view.from_document(QPointF(300, 300)))
    assert all(QRectF(view.rect()).contains(corner) for corner in corners)
    view.set_staged(None)
    assert view.zoom == alone
    view.zoom_by(2)
    kept = view.zoom
    view.set_staged(Staged(plain(GREEN, 400, 300), QRect(-100, 0, 400, 300)))
    assert view.zoom == kept, "who has zoomed stays where they look"


def test_a_staged_result_covers_the_document_and_discarding_uncovers_it(view) -> None:
    view.set_staged(Staged(plain(GREEN, 50, 50), QRect(0, 0, 100, 100)))
    assert seen(view, 50, 50) == GREEN
    assert seen(view, 150, 50) == BLUE
    view.set_staged(None)
    assert seen(view, 50, 50) == RED


def test_a_result_that_stands_for_itself_hides_the_document_and_is_fitted(view) -> None:
    view.set_staged(Staged(plain(GREEN, 50, 50), QRect(0, 0, 50, 50), alone=True))
    assert place_of(view).height() == pytest.approx(300 - 2 * MARGIN)
    assert place_of(view).width() == pytest.approx(300 - 2 * MARGIN)
    assert seen(view, 5, 5) == GREEN
    assert seen(view, -5, 25) == colors().canvas.name()


def test_a_result_may_reach_beyond_the_document(view) -> None:
    view.zoom_by(0.5)
    view.set_staged(Staged(plain(GREEN, 300, 100), QRect(-50, 0, 300, 100)))
    assert seen(view, -40, 50) == GREEN
    assert seen(view, 240, 50) == GREEN


def test_the_line_between_before_and_after_is_dragged(view, qtbot) -> None:
    tool = Recorder()
    view.set_tool(tool)
    view.set_staged(Staged(plain(GREEN), QRect(0, 0, 200, 100)))
    view.set_compare(0.5)
    assert (seen(view, 20, 10), seen(view, 180, 10)) == (RED, GREEN)
    line = view.from_document(QPointF(100, 20)).toPoint()
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=line)
    with qtbot.waitSignal(view.compare_moved):
        QTest.mouseMove(view, view.from_document(QPointF(150, 20)).toPoint())
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton)
    assert view.compare == pytest.approx(0.75, abs=0.01)
    assert (seen(view, 140, 10), seen(view, 180, 10)) == (BLUE, GREEN)
    assert "press" not in tool.names()
    QTest.keyClick(view, ">")
    assert 0.76 < view.compare < 0.85
    view.set_compare(None)
    assert seen(view, 20, 10) == GREEN


def test_another_button_in_the_middle_of_a_stroke_does_not_keep_it_going(view) -> None:
    tool = Recorder()
    view.set_tool(tool)
    left, middle = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton
    place = view.rect().center()
    QTest.mousePress(view, left, pos=place)
    QTest.mousePress(view, middle, pos=place)
    QTest.mouseRelease(view, left, pos=place)
    QTest.mouseRelease(view, middle, pos=place)
    assert tool.names()[-1] == "release"


def test_ants_march_around_what_is_selected_and_rest_when_nothing_is(view, qtbot) -> None:
    before = view.grab().toImage()
    view.document.set_selection(Selection.from_rect(QRect(50, 20, 100, 60)))
    first = view.grab().toImage()
    assert first != before
    qtbot.waitUntil(lambda: view.grab().toImage() != first)
    view.document.set_selection(Selection())
    assert view.grab().toImage() == before


def test_a_mask_is_tinted_in_the_colour_of_the_theme(view) -> None:
    mask = Layer("mask", LayerKind.MASK, TileStore.from_image(plain("#ffffff")))
    view.document.add_layer(mask)
    assert seen(view, 20, 20) == colors().accent.name()


def test_the_tool_paints_over_everything(view) -> None:
    view.set_tool(Recorder())
    assert view.grab().toImage().pixelColor(2, 2).name() == GREEN


# ------------------------------------------------------------------ tools


def test_the_tool_is_told_of_the_mouse(view, qtbot) -> None:
    tool = Recorder()
    view.set_tool(tool)
    assert view.cursor().shape() == Qt.CursorShape.CrossCursor
    with qtbot.waitSignal(view.pointed) as pointed:
        QTest.mouseMove(view, QPoint(200, 150))
    assert pointed.args[0] == view.to_document(QPointF(200, 150))
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(200, 150))
    QTest.mouseMove(view, QPoint(210, 160))
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(210, 160))
    QTest.mousePress(view, Qt.MouseButton.RightButton, pos=QPoint(210, 160))
    assert tool.names() == ["hover", "press", "move", "release"]
    assert tool.told[2][1] == QPointF(210, 160)


def test_the_tool_is_told_how_hard_the_pen_presses(view) -> None:
    tool = Recorder()
    view.set_tool(tool)
    pen = QPointingDevice.primaryPointingDevice()
    for kind, pressure in (
        (QEvent.Type.TabletPress, 0.25),
        (QEvent.Type.TabletMove, 0.75),
        (QEvent.Type.TabletRelease, 0.0),
    ):
        place = QPointF(150, 150)
        event = QTabletEvent(
            *(kind, pen, place, place, pressure, 0.0, 0.0, 0.0, 0.0, 0.0),
            *(Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton, Qt.MouseButton.LeftButton),
        )
        QApplication.sendEvent(view, event)
        assert event.isAccepted()
    assert [(name, pressure) for name, _, pressure in tool.told] == [
        ("press", 0.25),
        ("move", 0.75),
        ("release", 0.0),
    ]


def test_the_tool_gets_a_key_first(view) -> None:
    tool = Recorder()
    view.set_tool(tool)
    zoom = view.zoom
    tool.takes_keys = True
    QTest.keyClick(view, Qt.Key.Key_Plus)
    assert view.zoom == zoom
    tool.takes_keys = False
    QTest.keyClick(view, Qt.Key.Key_Plus)
    assert view.zoom > zoom


# ------------------------------------------------------------------ the world outside


def test_a_picture_that_is_dropped_is_announced(view, qtbot, tmp_path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "fox.png"))])
    event = QDropEvent(
        *(QPointF(5, 5), Qt.DropAction.CopyAction, data),
        *(Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier),
    )
    with qtbot.waitSignal(view.dropped) as dropped:
        view.dropEvent(event)
    assert dropped.args == [tmp_path / "fox.png"]


def test_copy_takes_what_is_selected_else_everything(view) -> None:
    QTest.keySequence(view, "Ctrl+C")
    assert QGuiApplication.clipboard().image().size() == QSize(200, 100)
    view.document.set_selection(Selection.from_rect(QRect(90, 10, 20, 30)))
    QTest.keySequence(view, "Ctrl+C")
    copied = QGuiApplication.clipboard().image()
    assert copied.size() == QSize(20, 30)
    assert (copied.pixelColor(5, 5).name(), copied.pixelColor(15, 5).name()) == (RED, BLUE)


def test_another_document_takes_the_place_of_the_first(view) -> None:
    old = view.document
    view.set_document(Document.from_image(plain(GREEN, 100, 100), QUndoStack(), "green"))
    assert seen(view, 50, 50) == GREEN
    old.set_selection(Selection.from_rect(QRect(0, 0, 5, 5)))  # nobody minds
    assert seen(view, 50, 50) == GREEN
    assert "100 × 100" in view.accessibleDescription()


def test_a_view_zoomed_far_out_shows_the_average_of_its_pixels(view) -> None:
    stripes = np.zeros((1600, 1600, 4), np.uint8)
    stripes[:, :, 3] = 255
    stripes[:, ::2, :3] = 255
    layer = Layer("stripes", pixels=TileStore.from_image(images.from_array(stripes)))
    view.document.open_layers([layer], QSize(1600, 1600), "Open")
    gray = QColor(seen(view, 800, 800))
    assert 110 <= gray.red() <= 145


def test_a_change_of_very_much_comes_piece_by_piece_and_is_soon_complete(view, qtbot) -> None:
    size = QSize(3000, 2000)
    layers = [
        Layer("red", pixels=TileStore.from_image(plain(RED, 3000, 2000))),
        *(Layer("thin", pixels=TileStore.from_image(plain(BLUE, 3000, 2000))) for _ in range(4)),
    ]
    view.document.open_layers(layers, size, "Open")
    first = view.grab().toImage()
    qtbot.waitUntil(lambda: view.grab().toImage() == plain_view(view, BLUE, first))
    for layer in layers[1:]:
        view.document.change_layer(layer, visible=False)
    qtbot.waitUntil(lambda: view.grab().toImage() == plain_view(view, RED, first))
    painted = painted_areas(view)
    for layer in layers[1:]:
        view.document.change_layer(layer, visible=True)
    qtbot.waitUntil(lambda: len(painted) >= 3)
    qtbot.waitUntil(lambda: view.grab().toImage() == plain_view(view, BLUE, first))


def plain_view(view: CanvasView, color: str, shot: QImage) -> QImage:
    """The same view with nothing but that colour in the picture."""
    shot = shot.copy()
    with QPainter(shot) as painter:
        painter.fillRect(place_of(view).toRect(), QColor(color))
    return shot
