"""Where things live: the person's data folder and the resources that ship with the studio."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

RESOURCES = Path(__file__).resolve().parent.parent / "resources"


def home() -> Path:
    """The person's data folder; ATELIER_HOME overrides it (tests, portable installs)."""
    chosen = os.environ.get("ATELIER_HOME")
    if chosen:
        return Path(chosen).expanduser().absolute()
    return Path(platformdirs.user_data_dir("Atelier", appauthor=False))


def outputs() -> Path:
    return home() / "outputs"


def inputs() -> Path:
    """What tasks read from the canvas, each file named by its content; the records name them."""
    return home() / "inputs"


def runs() -> Path:
    """Training runs, a folder each."""
    return home() / "runs"


def models() -> Path:
    """Models the person put there, and starter packs."""
    return home() / "models"


def upscalers() -> Path:
    """Weights of the person's own that enlarge pictures."""
    return models() / "upscalers"


def loras() -> Path:
    """LoRAs that the person put there."""
    return models() / "loras"


def cache() -> Path:
    """What can be made again: converted weights, downloaded artwork."""
    return home() / "cache"


def logs() -> Path:
    return home() / "logs"
