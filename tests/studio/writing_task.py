"""A real task in the shape of text_generation that needs no model: it says its prompt back."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from engine.errors import ModelError
from engine.events import Mended, Progress, Report, Token
from engine.task import Task, param, seed_param


@dataclass(frozen=True)
class Echo(Task):
    """Says the words of the prompt `times` times; the word "fail" makes it fail."""

    title = "Echo"
    summary = "Echoes."

    prompt: str = param(label="Prompt", help="What to say.", kind="prompt", required=True)
    model: str = param("echo", label="Model", help="Nobody.", kind="text")
    times: int = param(1, label="Times", help="How often.", minimum=1, maximum=10**6)
    pause: float = param(0.0, label="Pause", help="Seconds between words.", minimum=0, maximum=10)
    mended: str = param("", label="Mended", help="What it says in the end.")
    apply_chat_template: bool = param(True, label="Answer", help="Whether it is a question.")
    reads_end: bool = param(False, label="Read the end", help="Nothing here.")
    seed: int = seed_param()

    def run(self, report: Report, out: Path) -> None:
        report(Progress(0, None, "loading the model"))
        words = self.prompt.split() * self.times
        for number, word in enumerate(words, start=1):
            if word == "fail":
                raise ModelError("The model is broken.", "Choose another one.")
            report(Token(f" {word}"))
            report(Progress(number, len(words), "writing"))
            time.sleep(self.pause)
        if self.mended:
            report(Mended(f" {self.mended}"))
