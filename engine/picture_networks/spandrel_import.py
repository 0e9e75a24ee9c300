"""spandrel, which knows the architectures of upscalers, imported without torchvision.

Two of its 42 architectures (LaMa, RestoreFormer) name torchvision when they are imported, which
beside torch 2.13 breaks diffusers. While they are imported, empty modules stand in for it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING

from engine.errors import ModelError

if TYPE_CHECKING:
    import spandrel

NAMES = ("torchvision", "torchvision.transforms", "torchvision.transforms.functional")


def import_spandrel() -> ModuleType | spandrel:
    """The library; raises ModelError where it is not installed."""
    try:
        with _standing_in():
            import spandrel
    except ModuleNotFoundError as error:
        raise ModelError(
            f"Weights of your own need {error.name}, which is not installed.",
            "Install it, without what it asks for: pip install --no-deps spandrel einops",
        ) from error
    return spandrel


@contextmanager
def _standing_in() -> Iterator[None]:
    if "spandrel" in sys.modules:
        yield
        return
    modules = {name: ModuleType(name) for name in NAMES}
    functional = modules[NAMES[2]]
    for name in ("rotate", "normalize", "InterpolationMode"):
        setattr(functional, name, None)
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name in NAMES:
            sys.modules.pop(name, None)
