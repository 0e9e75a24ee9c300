"""Searches the Hugging Face Hub for models by their names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from engine.events import HubFound, Notice, Progress, Report
from engine.hub import Hub
from engine.task import Task, param

FORMATS = ("diffusers", "transformers", "safetensors", "gguf", "lora")


@dataclass(frozen=True)
class SearchHub(Task):
    """One question to the Hub."""

    title: ClassVar[str] = "Search the Hub"
    summary: ClassVar[str] = "Finds models of the Hugging Face Hub by words of their names."
    online: ClassVar[bool] = True

    words: str = param(
        label="Words", help="Words of the name: SmolLM2 instruct.", required=True, kind="text"
    )

    def run(self, report: Report, out: Path) -> None:
        """Raises EngineError: no network, a Hub that does not answer."""
        stage = "searching the Hub"
        report(Progress(0, None, stage))
        with Hub(lambda: report(Progress(0, None, stage))) as hub:
            found = hub.search(self.words)
        for each in found:
            labels = {*each["tags"], each["library"]}
            formats = tuple(name for name in FORMATS if name in labels)
            model = HubFound(
                each["repository"],
                each["licence"],
                each["gated"],
                each["downloads"],
                each["purpose"],
                formats,
            )
            report(model)
            closed = ", to be accepted" if model.gated else ""
            licence = model.licence or "licence unknown"
            report(Notice(f"{model.repository}  ({licence}{closed}; {model.purpose or '?'})"))
        if not found:
            report(Notice(f"No model on the Hub has {self.words!r} in its name."))
