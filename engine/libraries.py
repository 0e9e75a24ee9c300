"""Importing the heavy libraries: seconds, a quarter of which the garbage collector would take."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from engine import cache


@contextmanager
def importing() -> Iterator[None]:
    """Within, modules are imported by the thousand. They stay, so none of it can be garbage.

    Python's collector would go through them again and again, and once more after each model;
    frozen, they are left alone. Nothing changes where somebody else collects, as the window does.
    """
    if not gc.isenabled():
        yield
        return
    modules = len(sys.modules)
    gc.disable()
    try:
        yield
    finally:
        if len(sys.modules) > modules and cache.is_empty():  # a frozen model would stay as well
            gc.freeze()
        gc.enable()


@contextmanager
def loading() -> Iterator[None]:
    """Within, a model is loaded: a tokenizer makes objects by the ten thousand, none of it garbage.

    The collector rests, and nothing is frozen: a model must be collectable when it is dropped.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
