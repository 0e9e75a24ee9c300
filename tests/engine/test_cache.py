"""Models that are kept: the oldest goes first, and there are never two heavy ones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine import cache


@pytest.fixture(autouse=True)
def small_machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """800 bytes, so that what weighs more than 100 is heavy; all of them are free."""
    cache.clear()
    monkeypatch.setattr("engine.memory.whole_memory", lambda: 800)
    monkeypatch.setattr("engine.memory.free_memory", lambda: 800)
    yield
    cache.clear()


def load(name: str, weighs: int, seen: list[list[str]] | None = None) -> str:
    def loading() -> str:
        if seen is not None:  # what is still held while it is loaded
            seen.append([other for other in ("a", "b", "c") if cache.holds(other)])
        return name

    return cache.loaded(name, loading, weighs)


def held() -> list[str]:
    return [name for name in ("a", "b", "c") if cache.holds(name)]


def test_the_oldest_is_dropped_before_the_next_is_loaded() -> None:
    seen: list[list[str]] = []
    for name in ("a", "b"):
        load(name, 10)
    load("a", 10)  # so that b is the oldest
    load("c", 10, seen)
    assert seen == [["a"]] and held() == ["a", "c"]


def test_there_are_never_two_heavy_ones() -> None:
    seen: list[list[str]] = []
    load("b", 10)
    load("a", 101)
    load("c", 300, seen)
    assert seen == [["b"]], "the light one may stay, though it is the oldest"
    assert cache.weight() == 310
    load("b", 10)
    load("a", 100)
    assert held() == ["a", "b"], "one of just an eighth is not heavy: the oldest goes"


def test_what_is_in_the_way_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    load("a", 60)
    load("b", 80)
    monkeypatch.setattr("engine.memory.free_memory", lambda: 50 + 80 - cache.weight() + 60)
    load("c", 90)
    assert held() == ["b", "c"] or held() == ["c"]
    assert not cache.holds("a")


def test_on_another_device_what_is_free_there_counts() -> None:
    load("a", 60)
    cache.loaded("b", lambda: "b", 90, lambda: 80)
    assert held() == ["b"]
