"""Asks the Hugging Face Hub how large a model is and under which licence, before it is fetched."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from engine import amounts, hub_fetch
from engine.events import HubModel, Notice, Report
from engine.generators.fetch_model import FetchModel
from engine.task import Task, param, same_param


@dataclass(frozen=True)
class InspectHubModel(Task):
    """One question to the Hub; nothing is fetched, unless what was fetched before is discarded."""

    title: ClassVar[str] = "Look at a model of the Hub"
    summary: ClassVar[str] = "Tells the size and licence of a model of the Hugging Face Hub."
    online: ClassVar[bool] = True

    repository: str = same_param(FetchModel, "repository")
    revision: str = same_param(FetchModel, "revision")
    file: str = same_param(FetchModel, "file")
    precision: str = same_param(FetchModel, "precision")
    discard: bool = param(
        False,
        label="Discard",
        help="Throws away what a stopped download has left of it.",
        advanced=True,
    )

    def run(self, report: Report, out: Path) -> None:
        """Raises EngineError: no network, no such model, none that can be used."""
        found = hub_fetch.find(self.repository, self.revision, self.file, self.precision, report)
        if self.discard:
            hub_fetch.discard(found)
        told = found.told()
        report(told)
        report(Notice(_in_words(told)))
        if told.choices:
            report(Notice(f"One of: {', '.join(told.choices)}"))


def _in_words(model: HubModel) -> str:
    kept = f", {amounts.told(model.kept)} of it here already" if model.kept else ""
    closed = "; its licence must be accepted at its page" if model.gated else ""
    return (
        f"{model.repository} @ {model.commit[:12]}: {amounts.told(model.size)}{kept}, "
        f"licence {model.licence or 'unknown'}{closed}; {amounts.told(model.free)} are free."
    )
