"""Looks at a model before it is loaded: what it is, what it needs, whether that is free."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

from engine import files, library, model_facts
from engine.events import IMAGE_MODEL, ModelFacts, Notice, Progress, Report, Saved
from engine.generators.text_to_image import TextToImage
from engine.task import Task, param, same_param


def _names() -> tuple[str, ...]:
    return (*library.text_models(), *library.image_models(), *library.embedding_models())


@dataclass(frozen=True)
class InspectModel(Task):
    """Reads its descriptions and the heads of its files; runs and loads nothing of it."""

    title: ClassVar[str] = "Look at a model"
    summary: ClassVar[str] = "Tells what a model is and how much memory it needs."

    model: str = param(
        label="Model",
        help="A name, a model folder or a .gguf file.",
        choices=_names,
        editable=True,
        kind="model",
        required=True,
    )
    memory_plan: str = same_param(TextToImage, "memory_plan")
    width: int = same_param(TextToImage, "width")
    height: int = same_param(TextToImage, "height")
    resizable: bool = param(
        True,
        label="Smaller too",
        help="Whether a smaller picture would do, of an image model.",
        advanced=True,
    )
    save: bool = param(True, label="Save", help="Writes model-NAME.json with what was found.")

    def run(self, report: Report, out: Path) -> None:
        """Raises ModelError that names what is wrong, FileError."""
        report(Progress(0, None, "looking at the model"))
        path = library.find(self.model)
        facts = model_facts.facts_at(path, report)
        if facts.kind == IMAGE_MODEL:
            report(facts)  # at once; for the rest the libraries must be there
            report(Progress(0, None, "looking at what it needs to draw"))
            asked = model_facts.Asked(self.memory_plan, (self.width, self.height), self.resizable)
            facts = model_facts.to_draw(facts, path, asked)
        report(facts)
        report(Notice(_told(facts)))
        if self.save:
            files.make_folder(out)
            path = files.new_path(out, f"model-{facts.name}", ".json")
            files.write_json(path, asdict(facts))
            report(Saved(path))


def _told(facts: ModelFacts) -> str:
    return (
        f"{facts.name}: {facts.kind} ({facts.family}), {facts.parameters / 1e6:,.0f} million "
        f"parameters, {facts.on_disk / 1e6:,.0f} MB on the disk; needs {facts.needs / 1e9:.2f} GB "
        f"of memory, {facts.free / 1e9:.2f} GB are free."
    )
