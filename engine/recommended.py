"""Models of the Hub that are worth a try, by what they are for; a list that ships with the studio.

Its sizes are approximate: the real ones are asked of the Hub before anything is fetched.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine import files, folders
from engine.events import HubFound


@dataclass(frozen=True)
class Recommended:
    """A model that can be asked for."""

    repository: str
    title: str
    task: str = ""
    """What it is for."""
    about: str = ""
    licence: str = ""
    size: int = 0
    """Bytes to fetch, approximately; 0 where it is not known."""
    memory: int = 0
    """Bytes of memory at work, approximately; 0 where it is not known."""
    file: str = ""
    """Of several models in one file each: which."""


def recommended() -> tuple[Recommended, ...]:
    """Raises FileError where the list is spoiled."""
    entries = files.read_json(folders.RESOURCES / "hub_models.json")["models"]
    return tuple(Recommended(**entry) for entry in entries)


def of_found(found: HubFound) -> Recommended:
    """What a search has found, as if it were recommended."""
    about = " · ".join(filter(None, (found.purpose.replace("-", " "), *found.formats)))
    return Recommended(
        found.repository, found.repository, about=about, licence=found.licence or "unknown"
    )
