"""A real task in the shape of next_tokens that needs no model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.errors import ModelError
from engine.events import Candidate, Candidates, Report
from engine.task import Task, param


@dataclass(frozen=True)
class Guess(Task):
    """After "fail" it fails, after anything else it guesses the same three words."""

    title = "Guess"
    summary = "Guesses."

    prompt: str = param(label="Prompt", help="Before.", kind="prompt", required=True)
    written: str = param("", label="Written", help="So far.", kind="text")
    model: str = param("echo", label="Model", help="Nobody.", kind="text")
    apply_chat_template: bool = param(True, label="Answer", help="Whether it is one.")
    save: bool = param(True, label="Save", help="Nothing.")

    def run(self, report: Report, out: Path) -> None:
        if self.prompt.endswith("fail"):
            raise ModelError("The model is broken.", "Choose another one.")
        words = ((" two", 0.6, 0.75), (" t", 0.2, 0.25), (" three", 0.1, 0.0))
        report(Candidates(tuple(Candidate(*each) for each in words)))
