"""Keeps the last models loaded and drops the oldest; one cache in each process."""

from __future__ import annotations

import gc
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

CAPACITY = 2

Loaded = TypeVar("Loaded")
_loaded: OrderedDict[Hashable, Any] = OrderedDict()


def loaded(key: Hashable, load: Callable[[], Loaded]) -> Loaded:
    """What `load()` returned the last time for `key`, else what it returns now.

    The oldest is dropped *before* loading, so that memory never has to hold one too many.
    """
    if key in _loaded:
        _loaded.move_to_end(key)
        return _loaded[key]  # type: ignore[no-any-return]
    while len(_loaded) >= CAPACITY:
        _loaded.popitem(last=False)
        gc.collect()
    result = load()
    _loaded[key] = result
    return result


def is_empty() -> bool:
    return not _loaded


def clear() -> None:
    """Forget everything, for a machine that has run out of memory."""
    _loaded.clear()
    gc.collect()
