"""Bytes and progress as people read them."""

from __future__ import annotations

import pytest

from engine.amounts import progress_told, told
from engine.events import Progress


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 kB"), (2_600, "3 kB"), (93_400_000, "93 MB"), (1_740_000_000, "1.7 GB")],
)
def test_bytes_are_told_in_the_unit_that_suits_them(count: int, words: str) -> None:
    assert told(count) == words


@pytest.mark.parametrize(
    ("progress", "words"),
    [
        (Progress(3, 20), "3 / 20"),
        (Progress(3, None), ""),
        (Progress(93_400_000, 1_740_000_000, "writing unet", "bytes"), "93 MB / 1.7 GB"),
    ],
)
def test_progress_is_counted_or_weighed(progress: Progress, words: str) -> None:
    assert progress_told(progress, progress.step) == words
