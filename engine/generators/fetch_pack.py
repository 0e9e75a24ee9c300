"""Fetches a starter pack: a model that is not shipped with the studio because of its size."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from engine import library, packs
from engine.events import Report, Saved
from engine.task import Task, param


@dataclass(frozen=True)
class FetchPack(Task):
    """One download. It goes to the models of the person, not into the folder of results."""

    title: ClassVar[str] = "Fetch a starter pack"
    summary: ClassVar[str] = "Downloads a model once, verifies it and puts it among the models."
    online: ClassVar[bool] = True

    pack: str = param(
        library.STARTER_TEXT_MODEL,
        label="Starter pack",
        help="The model that can be used afterwards, without a network.",
        choices=packs.names,
    )

    def run(self, report: Report, out: Path) -> None:
        """Raises EngineError: no network, no pip, a wrong hash, a full disk."""
        report(Saved(packs.fetch(packs.find(self.pack), report)))
