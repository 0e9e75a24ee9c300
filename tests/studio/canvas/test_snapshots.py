"""What is kept comes back bit for bit; what is forgotten gives its room back."""

from __future__ import annotations

import errno
import os
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule
from PySide6.QtCore import QObject
from PySide6.QtGui import QImage

from studio import images
from studio.background import Background
from studio.canvas.snapshots import Archive
from studio.canvas.swap_file import SwapFile
from studio.canvas.tiles import FORMAT

SIDE = 64
BYTES = SIDE * SIDE * 4


def picture(seed: int) -> QImage:
    pixels = np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 4), np.uint8)
    return images.from_array(pixels).convertToFormat(FORMAT)


def test_pictures_go_to_the_file_and_come_back() -> None:
    archive = Archive(budget=8 * BYTES)
    kept = [archive.keep(picture(seed)) for seed in range(50)]
    assert archive.memory <= 8 * BYTES
    assert archive.file.size > 30 * BYTES
    assert all(one.image() == picture(seed) for seed, one in enumerate(kept))


def test_an_image_of_another_shape_and_format_comes_back_as_it_was() -> None:
    archive = Archive(budget=0)
    mask = images.from_array(np.arange(35, dtype=np.uint8).reshape(5, 7))
    kept = archive.keep(mask)
    assert kept.live is None
    assert kept.image() == mask


def test_what_is_forgotten_gives_its_room_back() -> None:
    archive = Archive(budget=4 * BYTES)
    kept = [archive.keep(picture(seed)) for seed in range(20)]
    size = archive.file.size
    del kept[:18]
    again = [archive.keep(picture(seed)) for seed in range(18)]
    assert archive.file.size < size * 1.1
    assert all(one.image() == picture(seed) for seed, one in enumerate(again))
    assert all(one.image() == picture(18 + place) for place, one in enumerate(kept))
    kept.clear()
    again.clear()
    assert (archive.memory, archive.file.size) == (0, 0)
    assert archive.file._file is not None
    assert os.fstat(archive.file._file.fileno()).st_size == 0


def test_the_thread_compresses_what_has_become_old(qtbot) -> None:
    owner = QObject()
    archive = Archive(budget=16 * BYTES, background=Background(owner))
    kept = [archive.keep(picture(seed)) for seed in range(7)]
    assert all(one.live is not None for one in kept)
    qtbot.waitUntil(lambda: kept[2].live is None)
    qtbot.wait(20)
    assert [one.live is None for one in kept] == [True] * 3 + [False] * 4
    assert all(one.image() == picture(seed) for seed, one in enumerate(kept))


def test_what_came_at_leisure_is_worked_off_by_what_comes_next() -> None:
    archive = Archive(budget=8 * BYTES)
    kept = [archive.keep(picture(seed), at_leisure=True) for seed in range(20)]
    assert all(one.live is not None for one in kept)
    kept += [archive.keep(picture(seed)) for seed in range(20, 36)]
    assert archive.memory <= 8 * BYTES
    assert all(one.image() == picture(seed) for seed, one in enumerate(kept))


def test_a_full_disk_costs_memory_and_no_picture(monkeypatch, caplog) -> None:
    def full(self: SwapFile, data: bytes) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(SwapFile, "write", full)
    archive = Archive(budget=4 * BYTES)
    kept = [archive.keep(picture(seed)) for seed in range(20)]
    assert all(one.image() == picture(seed) for seed, one in enumerate(kept))
    assert "stay in memory" in caplog.text


class AnyExtents(RuleBasedStateMachine):
    """Whatever is written and freed in any order, the rest is still what was written."""

    written = Bundle("written")

    def __init__(self) -> None:
        super().__init__()
        self.file = SwapFile()
        self.known: dict[tuple[int, int], bytes] = {}

    @rule(target=written, length=st.integers(1, 100), byte=st.integers(0, 255))
    def write(self, length: int, byte: int) -> tuple[int, int]:
        extent = self.file.write(bytes([byte]) * length)
        assert extent not in self.known
        self.known[extent] = bytes([byte]) * length
        return extent

    @rule(extent=consumes(written))
    def free(self, extent: tuple[int, int]) -> None:
        del self.known[extent]
        self.file.free(extent)

    @invariant()
    def all_is_there_and_no_room_is_lost(self) -> None:
        assert all(self.file.read(extent) == data for extent, data in self.known.items())
        assert self.file.size == max((sum(extent) for extent in self.known), default=0)


@pytest.mark.usefixtures("home")
class TestAnyExtents(AnyExtents.TestCase):  # type: ignore[misc, name-defined]
    settings = settings(max_examples=50, deadline=None)
