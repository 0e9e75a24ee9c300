"""A real task in the shape of chat_answer that needs no model: it says what it was told."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

from engine.errors import ModelError
from engine.events import ContextUse, Mended, Progress, Report, Token
from engine.task import Task, param, seed_param


@dataclass(frozen=True)
class Parrot(Task):
    """Says how many messages came before, and the words of the newest; "fail" makes it fail."""

    title = "Parrot"
    summary = "Repeats."

    prompt: str = param(label="Message", help="What to say.", kind="prompt", required=True)
    history: str = param("[]", label="Said before", help="As JSON.", kind="text")
    model: str = param("parrot", label="Model", help="Nobody.", kind="text")
    times: int = param(1, label="Times", help="How often.", minimum=1, maximum=10**6)
    pause: float = param(0.0, label="Pause", help="Seconds between words.", minimum=0, maximum=10)
    documents: str = param("", label="Answer from", help="Files.", kind="folder")
    embedding_model: str = param("all-MiniLM-L6-v2", label="Finder", help="Nobody.", kind="text")
    mended: str = param("", label="Mended", help="What it says in the end.")
    seed: int = seed_param()

    def run(self, report: Report, out: Path) -> None:
        report(Progress(0, None, "loading the model"))
        before = len(json.loads(self.history))
        for word in [f"{before}:", *self.prompt.split() * self.times]:
            if word == "fail":
                raise ModelError("The model is broken.", "Choose another one.")
            report(Token(f" {word}"))
            time.sleep(self.pause)
        if self.mended:
            report(Mended(f" {self.mended}"))
        report(ContextUse(100 + before, 1000, forgotten=2 if before > 5 else 0))
