"""Puts a picture into words, with a local model that can see."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from engine import files, library, metadata
from engine.errors import InvalidTask, ModelError
from engine.events import Notice, Report, Saved
from engine.gate.images import open_image
from engine.task import Task, param


@dataclass(frozen=True)
class DescribeImage(Task):
    """The likeliest words; the same picture gives the same."""

    title: ClassVar[str] = "Describe a picture"
    summary: ClassVar[str] = "Puts a picture into words."

    image: str = param(label="Picture", help="An image file.", kind="file", required=True)
    model: str = param(
        "",
        label="Model",
        help="A folder of a model that sees, such as SmolVLM-256M-Instruct or "
        "blip-image-captioning-base. Empty takes the first in the folder of models.",
        choices=lambda: ("", *library.describers()),
        editable=True,
        kind="model",
    )
    prompt: str = param(
        "",
        label="Question",
        help="Empty: what is on it. A model that chats takes any question; one that only captions "
        "goes on from these words.",
        kind="text",
    )
    max_new_tokens: int = param(
        80,
        label="Length",
        help="The most that is written.",
        minimum=1,
        maximum=4096,
        unit="tokens",
    )

    def run(self, report: Report, out: Path) -> None:
        """Write description-TIME.txt and .json; raises FileError, ModelError, OutOfMemory."""
        from engine.language import describer
        from engine.libraries import importing

        files.make_folder(out)
        image = open_image(Path(self.image).expanduser())
        path = self._find()
        with importing():
            model = describer.load(path, report)
        if self.prompt.strip() and not model.answers:
            report(Notice(f"{model.name} answers no questions: it goes on from your words."))
        started = time.perf_counter()
        text = model.describe(image, self.prompt.strip(), self.max_new_tokens, report)
        if not text:
            raise ModelError(f"{model.name} found no words for it.", "Choose another model.")
        record = {
            "task": self.name(),
            "fields": self.to_dict() | {"model": path.name, "image": Path(self.image).name},
            "digital_source_type": "trainedAlgorithmicMedia",
            "versions": {"atelier": metadata.version()},
            "seconds": round(time.perf_counter() - started, 3),
        }
        told = files.new_path(out, f"description-{files.timestamp()}", ".txt")
        files.write_text(told, text + "\n")
        report(Saved(told))
        files.write_json(told.with_suffix(".json"), record)
        report(Saved(told.with_suffix(".json")))

    def _find(self) -> Path:
        name = self.model or next(iter(library.describers()), "")
        if not name:
            raise InvalidTask(
                "model",
                "There is no model here that can see.",
                "Put the folder of one, such as SmolVLM-256M-Instruct, into the models of the data "
                "folder, or choose it here.",
            )
        return library.find(name)
