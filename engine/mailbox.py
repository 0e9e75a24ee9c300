"""Commands to a training from outside: numbered files in `control/`, acknowledged in the metrics.

000001.json   {"command": "pause"}, {"command": "step", "part": "generator"},
              {"command": "set", "name": "learning_rate", "value": 0.001},
              {"command": "roll_back", "step": 500}
heard.json    the number of the last command that a trainer carried out
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine import files
from engine.errors import FileError

COMMANDS = ("pause", "resume", "step", "stop", "save", "sample", "set", "roll_back")


@dataclass(frozen=True)
class Command:
    """What somebody asks of a training. An empty `word` is one that could not be read."""

    word: str = ""
    name: str = ""
    """With set: the field of the task."""
    value: Any = None
    """With set: its new value, whatever was written there."""
    part: str = ""
    """With step: which part of the learner alone; empty for all."""
    step: int | None = None
    """With roll_back: the step of the checkpoint."""

    @classmethod
    def read(cls, record: Mapping[str, Any]) -> Command:
        """From JSON; of what does not fit, nothing is believed."""
        step = record.get("step")
        return cls(
            str(record.get("command", "")),
            str(record.get("name", "")),
            record.get("value"),
            str(record.get("part", "")),
            step if isinstance(step, int) and not isinstance(step, bool) else None,
        )

    @property
    def known(self) -> bool:
        return self.word in COMMANDS

    def __str__(self) -> str:
        """As an event of the run says it: "pause", "step generator", "learning_rate = 0.001"."""
        if self.word == "set":
            return f"{self.name} = {written(self.value)}"
        if self.word == "roll_back":
            return f"rolled back to step {self.step}"
        return f"{self.word} {self.part}".strip()


def written(value: Any) -> str:
    """A value of a field as events say it: 0.0002 and not 0.00020000000000000001."""
    return f"{value:.10g}" if isinstance(value, float) and math.isfinite(value) else str(value)


class Mailbox:
    """The `control` folder of a run. Anybody writes commands; the trainer says what it heard."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def send(self, command: str, details: Mapping[str, Any]) -> int:
        """Returns the number of the command; two that send at once get two. Raises FileError."""
        if command not in COMMANDS:
            raise ValueError(f"unknown command {command!r}")
        data = files.json_bytes({"command": command, **details})
        number = self.last() + 1
        while not files.write_new(self._file(number), data):
            number += 1
        return number

    def after(self, number: int) -> list[tuple[int, Command]]:
        """Commands with a higher number, oldest first; a damaged one is an empty word."""
        return [(n, self._read(n)) for n in sorted(self._numbers()) if n > number]

    def last(self) -> int:
        return max(self._numbers(), default=0)

    def say_heard(self, number: int) -> None:
        """Everything up to `number` has been carried out, or is void; raises FileError."""
        files.write_json(self.path / "heard.json", {"number": number})

    def unheard(self, word: str) -> list[tuple[int, Command]]:
        """Commands of this kind that no trainer took notice of: sent while nobody trained."""
        try:
            heard = files.read_json(self.path / "heard.json").get("number")
        except FileError:
            heard = 0
        return [
            (number, command)
            for number, command in self.after(heard if isinstance(heard, int) else 0)
            if command.word == word
        ]

    def _read(self, number: int) -> Command:
        try:
            return Command.read(files.read_json(self._file(number)))
        except FileError:
            return Command()  # a training must not end because somebody wrote nonsense here

    def _file(self, number: int) -> Path:
        return self.path / f"{number:06d}.json"

    def _numbers(self) -> list[int]:
        found = self.path.glob("*.json")
        return [int(path.stem) for path in found if path.stem.isdecimal()]
