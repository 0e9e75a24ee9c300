"""What belongs to a project beside its document: the settings of Create, and where one looks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Surroundings:
    """Asked for when the project is saved, and shown when it is opened."""

    settings: Callable[[], Mapping[str, Any]]
    show_settings: Callable[[Mapping[str, Any]], object]
    view: Callable[[], Mapping[str, Any]]
    show_view: Callable[[Mapping[str, Any]], object]
