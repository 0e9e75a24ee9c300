"""Fetches a model of the Hugging Face Hub and puts it among those of the studio."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from engine import amounts, hub_fetch
from engine.events import Notice, Report, Saved
from engine.hub_files import PRECISIONS
from engine.task import Task, param


def repository_param() -> Any:
    return param(
        label="Repository",
        help="OWNER/NAME, as the Hugging Face Hub calls it: HuggingFaceTB/SmolLM2-360M-Instruct.",
        required=True,
    )


@dataclass(frozen=True)
class FetchModel(Task):
    """Stopped, it keeps what it has; started again, it goes on from there. The result goes to the
    models of the person, not into the folder of results."""

    title: ClassVar[str] = "Get a model"
    summary: ClassVar[str] = (
        "Downloads a model of the Hugging Face Hub, verifies it and puts it among the models."
    )
    online: ClassVar[bool] = True

    repository: str = repository_param()
    revision: str = param(
        "main",
        label="Revision",
        help="A branch, a tag or a commit of the repository.",
        advanced=True,
    )
    file: str = param(
        "",
        label="File",
        help="Of several models in one file each: which. Empty takes a .gguf of middling size.",
        advanced=True,
    )
    precision: str = param(
        "half",
        label="Precision",
        help="half: the smaller weights where there are any. full: twice the size.",
        choices=PRECISIONS,
        advanced=True,
    )

    def run(self, report: Report, out: Path) -> None:
        """Raises EngineError: no network, no leave, a wrong hash, a full disk, no usable model."""
        found = hub_fetch.find(self.repository, self.revision, self.file, self.precision, report)
        report(found.told())
        if found.here():
            report(Notice(f"{found.target.name} is here already, from this very commit."))
            report(Saved(found.target))
            return
        licence = found.licence or "unknown: see its page"
        size = amounts.told(found.plan.size)
        report(Notice(f"{found.target.name}: {size} from {found.repository}, licence {licence}."))
        facts = hub_fetch.fetch(found, report)
        report(facts)
        report(Notice(f"{facts.name} is a {facts.kind}; it is in the lists of models now."))
        report(Saved(found.target))
