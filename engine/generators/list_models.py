"""Lists the models of this machine: what each is and needs, or what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from engine import library, model_facts
from engine.errors import EngineError
from engine.events import ModelListed, Notice, Progress, Report
from engine.task import Task


@dataclass(frozen=True)
class ListModels(Task):
    """The embedded one, those in the folder of models, and the LoRAs."""

    title: ClassVar[str] = "List the models"
    summary: ClassVar[str] = "Tells what each model here is and needs, or why it cannot be used."

    def run(self, report: Report, out: Path) -> None:
        paths = library.own_paths()
        for number, path in enumerate(paths):
            report(Progress(number, len(paths), "looking at the models"))
            try:
                facts = model_facts.facts_at(path, report)
            except EngineError as error:
                problem = f"{error.message} {error.hint}".strip()
                report(ModelListed(path, None, problem))
                report(Notice(f"{path.name}: {problem}"))
            else:
                report(ModelListed(path, facts))
                report(Notice(f"{facts.name}: {facts.kind} ({facts.family})"))
