"""What the gallery knows of a picture: what its file says, and what the person says of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Mark:
    """What a person says of a picture."""

    star: bool = False
    tags: tuple[str, ...] = ()
    notes: str = ""

    @property
    def is_empty(self) -> bool:
        return self == Mark()


@dataclass(frozen=True)
class Description:
    """What a file says of itself, from outside: show it as plain text only."""

    width: int = 0
    height: int = 0
    prompt: str = ""
    negative_prompt: str = ""
    model: str = ""
    seed: str = ""
    """A whole number as text: other programs' seeds have 64 bits."""
    task: str = ""
    problem: str = ""
    """Why the file cannot be read; empty where it can."""


@dataclass(frozen=True)
class Picture:
    """One picture of the gallery."""

    id: int
    path: Path
    modified: int
    """Nanoseconds since 1970: when the file was last written."""
    size: int
    """Bytes of the file."""
    description: Description
    mark: Mark

    @property
    def is_sample(self) -> bool:
        """Drawn by a training, in whose folder it belongs."""
        return self.path.parent.name == "samples" and "runs" in self.path.parts
