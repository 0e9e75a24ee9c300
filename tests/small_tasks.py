"""Small real tasks for the tests of the worker; the model process imports this file too."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from engine.errors import EngineError
from engine.events import Notice, Progress, Report, Saved, Token
from engine.task import Task, param


@dataclass(frozen=True)
class Count(Task):
    """Counts to `total`, a step every `pause` seconds, and writes the last number."""

    title = "Count"
    summary = "Counts."

    total: int = param(5, label="Total", help="How far to count.", minimum=1, maximum=10**9)
    pause: float = param(0.0, label="Pause", help="Seconds for each step.", minimum=0, maximum=60)

    def run(self, report: Report, out: Path) -> None:
        for step in range(self.total):
            report(Progress(step, self.total, "counting"))
            time.sleep(self.pause)
        report(Progress(self.total, self.total, "counting"))
        path = out / "count.txt"
        path.write_text(str(self.total))
        report(Saved(path))


@dataclass(frozen=True)
class Say(Task):
    """Says `words` tokens as fast as it can."""

    title = "Say"
    summary = "Says words."

    words: int = param(1000, label="Words", help="How many.", minimum=1, maximum=10**6)

    def run(self, report: Report, out: Path) -> None:
        for number in range(self.words):
            report(Token(f"{number} "))


@dataclass(frozen=True)
class Misbehave(Task):
    """Ends in the way it is told to."""

    title = "Misbehave"
    summary = "Fails."

    how: str = param("error", label="How", help="error, bug, exit, kill, hang or silent.")

    def run(self, report: Report, out: Path) -> None:
        report(Notice(str(os.getpid())))
        if self.how == "error":
            raise EngineError("It broke.", "Mend it.")
        if self.how == "bug":
            raise KeyError("missing")
        if self.how == "exit":
            os._exit(3)
        if self.how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.how == "hang":
            time.sleep(3600)


@dataclass(frozen=True)
class Stubborn(Task):
    """Wraps its reports in a broad handler, as libraries do."""

    title = "Stubborn"
    summary = "Swallows exceptions."

    def run(self, report: Report, out: Path) -> None:
        while True:
            try:
                report(Progress(0, None, "going on"))
                time.sleep(0.005)
            except Exception:  # noqa: BLE001 — what some libraries do
                pass
