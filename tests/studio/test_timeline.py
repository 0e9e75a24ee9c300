"""The timeline and the sample grid: scrubbing, playing, live."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from studio.widgets import sample_grid, timeline
from studio.widgets.sample_grid import SampleGridView
from studio.widgets.timeline import Scrubber, Timeline

STEPS = list(range(0, 1000, 50))


@pytest.fixture
def line(qtbot: QtBot) -> Timeline:
    line = Timeline()
    qtbot.addWidget(line)
    line.resize(800, 40)
    line.show()
    line.set_samples(STEPS, 2000, running=True)
    return line


@pytest.fixture
def scrubber(line: Timeline) -> Scrubber:
    return line.findChild(Scrubber)


@pytest.fixture
def live(line: Timeline) -> QPushButton:
    return line.findChild(QPushButton)


@pytest.fixture
def grid(qtbot: QtBot) -> SampleGridView:
    grid = SampleGridView()
    qtbot.addWidget(grid)
    grid.resize(400, 400)
    grid.show()
    return grid


@pytest.fixture
def picture(tmp_path: Path) -> Callable[[int], Path]:
    def save(shade: int, size: tuple[int, int] = (8, 8)) -> Path:
        path = tmp_path / f"{shade:06d}.png"
        Image.new("L", size, shade).save(path)
        return path

    return save


def at(scrubber: Scrubber, step: float) -> QPoint:
    return QPoint(round(scrubber._x(step)), scrubber.height() // 2)


def test_live_follows_the_newest_samples(line: Timeline) -> None:
    assert line.live and line.step == 950
    line.set_samples([*STEPS, 1000], 2000, running=True)
    assert line.step == 1000


def test_dragging_back_leaves_live_and_the_button_returns(
    qtbot: QtBot, line: Timeline, scrubber: Scrubber, live: QPushButton
) -> None:
    qtbot.mousePress(scrubber, Qt.MouseButton.LeftButton, pos=at(scrubber, 300))
    assert line.step == 300 and not line.live
    qtbot.mouseMove(scrubber, at(scrubber, 480))
    qtbot.waitUntil(lambda: line.step == 500)
    qtbot.mouseRelease(scrubber, Qt.MouseButton.LeftButton, pos=at(scrubber, 480))
    line.set_samples([*STEPS, 1000], 2000, running=True)
    assert line.step == 500, "a new sample must not pull a person away from an old one"
    qtbot.mouseClick(live, Qt.MouseButton.LeftButton)
    assert line.live and line.step == 1000


def test_the_keyboard_goes_through_the_run(
    qtbot: QtBot, line: Timeline, scrubber: Scrubber
) -> None:
    chosen: list[int] = []
    line.step_changed.connect(chosen.append)
    scrubber.setFocus()
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Home, Qt.Key.Key_Right, Qt.Key.Key_End):
        qtbot.keyClick(scrubber, key)
    assert chosen == [900, 0, 50, 950]
    assert line.live, "the end of a live run is live"


def test_play_shows_every_grid_and_ends_live(
    qtbot: QtBot, line: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline, "FASTEST", 1)
    monkeypatch.setattr(timeline, "TIMELAPSE", 20)
    chosen: list[int] = []
    line.step_changed.connect(chosen.append)
    play = next(b for b in line.findChildren(QToolButton))
    qtbot.mouseClick(play, Qt.MouseButton.LeftButton)
    assert line.playing and not line.live
    qtbot.waitUntil(lambda: not line.playing)
    assert chosen == STEPS
    assert line.live and not play.isChecked()


def test_a_click_in_the_curves_stops_the_play(qtbot: QtBot, line: Timeline) -> None:
    line.toggle_play()
    line.go_to(402)
    assert line.step == 400 and not line.playing


def test_a_hand_on_the_scrubber_stops_the_play(
    qtbot: QtBot, line: Timeline, scrubber: Scrubber
) -> None:
    line.toggle_play()
    qtbot.mousePress(scrubber, Qt.MouseButton.LeftButton, pos=at(scrubber, 600))
    assert line.step == 600 and not line.playing


def test_nothing_to_scrub_is_shown_as_such(qtbot: QtBot) -> None:
    line = Timeline()
    qtbot.addWidget(line)
    assert line.step is None
    assert not any(button.isEnabled() for button in line.findChildren(QToolButton))
    line.go_to(5)
    line.go_live()
    line.toggle_play()
    assert not line.playing


def test_samples_that_vanish_do_not_leave_the_handle_in_the_air(line: Timeline) -> None:
    line.go_to(900)
    line.set_samples(STEPS[:3], 2000, running=False)
    assert line.step == 100


def test_small_pixels_become_large_squares(
    qtbot: QtBot, grid: SampleGridView, tmp_path: Path
) -> None:
    checker = Image.new("L", (8, 8))
    checker.putdata([255 * ((x + y) % 2) for y in range(8) for x in range(8)])
    checker.save(tmp_path / "grid.png")
    with qtbot.waitSignal(grid.shown):
        grid.show_sample(tmp_path / "grid.png", "Step 1")
    target = grid.target_rect()
    assert target.width() == target.height() and target.width() % 8 == 0
    assert target.width() >= 0.85 * min(grid._canvas.width(), grid._canvas.height())
    picture = grid._canvas.grab().toImage()
    side = target.width() // 8
    for x, y in [(0, 0), (3, 4), (7, 7), (6, 3)]:
        for corner in (1, side - 2):
            shade = picture.pixelColor(
                target.left() + x * side + corner, target.top() + y * side + corner
            ).lightness()
            assert shade == 255 * ((x + y) % 2), "no pixel may bleed into its neighbour"


def test_scrubbing_through_hundreds_is_immediate_and_ends_at_the_last(
    qtbot: QtBot, grid: SampleGridView, picture: Callable[[int], Path]
) -> None:
    paths = [picture(shade) for shade in range(250)]
    began = time.perf_counter()
    for place, path in enumerate(paths):
        grid.show_sample(path, f"Step {place}", paths[place + 1 : place + 5])
    assert time.perf_counter() - began < 0.5, "reading is not the business of the GUI thread"
    qtbot.waitUntil(lambda: grid.image is not None and grid.image.pixelColor(0, 0).red() == 249)
    assert grid.caption == "Step 249"


def test_only_so_many_grids_are_kept(
    qtbot: QtBot,
    grid: SampleGridView,
    picture: Callable[[int], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sample_grid, "CACHED", 3)
    paths = [picture(shade) for shade in range(6)]
    for path in paths:
        with qtbot.waitSignal(grid.shown):
            grid.show_sample(path, "")
    assert list(grid._images) == paths[3:]


def test_a_grid_already_seen_is_there_at_once(
    qtbot: QtBot, grid: SampleGridView, picture: Callable[[int], Path]
) -> None:
    first, second = picture(10), picture(20)
    for path in (first, second):
        with qtbot.waitSignal(grid.shown):
            grid.show_sample(path, "")
    first.unlink()
    grid.show_sample(first, "again")
    assert grid.image and grid.image.pixelColor(0, 0).red() == 10


def test_a_picture_that_cannot_be_read_is_named(
    qtbot: QtBot, grid: SampleGridView, tmp_path: Path
) -> None:
    broken = tmp_path / "000100.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\nnot really")
    grid.show_sample(broken, "Step 100")
    qtbot.waitUntil(lambda: "000100.png" in grid.caption)
    assert grid.image is None
