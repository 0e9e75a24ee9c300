"""Keeps the last models loaded and drops the oldest; one cache in each process.

Never two heavy ones at once: what a machine holds of one, it seldom holds of two.
"""

from __future__ import annotations

import gc
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar

from engine import memory

CAPACITY = 2
HEAVY = 1 / 8
"""Of this machine's memory: a model that weighs more is a heavy one."""

Loaded = TypeVar("Loaded")


@dataclass(frozen=True)
class _Kept:
    model: Any
    weighs: int


_loaded: OrderedDict[Hashable, _Kept] = OrderedDict()


def loaded(
    key: Hashable,
    load: Callable[[], Loaded],
    weighs: int = 0,
    free: Callable[[], int] | None = None,
) -> Loaded:
    """What `load()` returned the last time for `key`, else what it returns now.

    `weighs`: the bytes it will hold, of those that are `free`, else of main memory. Others are
    dropped *before* loading, the oldest first, so that memory never has to hold one too many: a
    heavy one goes for a heavy one, and whatever is in the way where too little is free.
    """
    if holds(key):
        return kept(key)  # type: ignore[no-any-return]
    for other in [other for other, held in _loaded.items() if _heavy(weighs, held.weighs)]:
        _drop(other)
    free = free or memory.free_memory
    while _loaded and (len(_loaded) >= CAPACITY or free() < weighs):
        _drop(next(iter(_loaded)))
    result = load()
    _loaded[key] = _Kept(result, weighs)
    return result


def holds(key: Hashable) -> bool:
    return key in _loaded


def kept(key: Hashable) -> Any:
    """What is held for `key`, which becomes the newest."""
    _loaded.move_to_end(key)
    return _loaded[key].model


def weight() -> int:
    """Bytes that the models held weigh, all of which would be dropped for one that needs them."""
    return sum(kept.weighs for kept in _loaded.values())


def holds_only(key: Hashable) -> bool:
    return list(_loaded) == [key]


def _heavy(*weights: int) -> bool:
    return min(weights) > HEAVY * memory.whole_memory()


def _drop(key: Hashable) -> None:
    del _loaded[key]
    gc.collect()


def is_empty() -> bool:
    return not _loaded


def clear() -> None:
    """Forget everything, for a machine that has run out of memory."""
    _loaded.clear()
    gc.collect()
