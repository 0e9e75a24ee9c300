"""What people did to a run on its way, read from its metrics: a program has to do it again.

Live values, steps of one part alone, more steps than it began with. What was rolled back is not in
the metrics any more, and a branch brings those of its past along: both are told by what is there.
"""

from __future__ import annotations

import dataclasses
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine import live_values
from engine.errors import EngineError
from engine.metrics_log import MetricLine
from engine.training import TrainingTask

_STEP = re.compile(r"step( \w+)? #\d+")
_RESUME = re.compile(r"resume #\d+")
_NEW_PROCESS = re.compile("resumed|branched from .*", re.DOTALL)
_ROLLED_BACK = re.compile(r"rolled back from step .*", re.DOTALL)

Constants = Mapping[str, Any]


@dataclass(frozen=True)
class Steering:
    """`tasks` are (step, the task from that step on), the first from step 1."""

    tasks: tuple[tuple[int, TrainingTask], ...]
    parts: Mapping[int, str]
    """The steps that one part of the learner made alone, and which."""
    resumed_after: frozenset[int]
    """The steps after which it was begun again."""
    steps: int
    """How many there are in the end."""

    def constants(self, of: Callable[[TrainingTask], Constants]) -> dict[int, dict[str, Any]]:
        """By step: which constants of a program are others from there on."""
        found: dict[int, dict[str, Any]] = {}
        for (_, before), (step, task) in zip(self.tasks, self.tasks[1:], strict=False):
            old, new = of(before), of(task)
            if changed := {name: new[name] for name in new if new[name] != old[name]}:
                found[step] = changed
        return found


@dataclass
class _Replay:
    """Goes through the events as the loop and its control went through the commands."""

    task: TrainingTask
    step: int = 0
    tasks: dict[int, TrainingTask] = field(default_factory=dict)
    parts: dict[int, str] = field(default_factory=dict)
    resumed_after: set[int] = field(default_factory=set)
    waiting: deque[str] = field(default_factory=deque)

    def go_to(self, step: int) -> None:
        """Make the steps up to this one, first those that were asked for one by one."""
        while self.waiting and self.step < step:
            self.step += 1
            if part := self.waiting.popleft():
                self.parts[self.step] = part
        self.step = max(self.step, step)

    def hear(self, line: MetricLine) -> None:
        if found := _STEP.fullmatch(line.event):
            self.waiting.append((found[1] or "").strip())
        elif _RESUME.fullmatch(line.event) or _ROLLED_BACK.fullmatch(line.event):
            self.waiting.clear()
        elif _NEW_PROCESS.fullmatch(line.event):
            self.waiting.clear()
            self.resumed_after.add(line.step)
        values = line.details.get("set")
        known = live_values.restored(self.task, values)
        if "max_steps" in line.details:
            known = dataclasses.replace(known, max_steps=line.details["max_steps"])
        if known != self.task:
            self.task = self.tasks[line.step + 1] = known


def steering(lines: Iterable[MetricLine], began: TrainingTask, parts: tuple[str, ...]) -> Steering:
    """Raises EngineError for what no run would tell: `lines` may come from anywhere."""
    replay = _Replay(began)
    for line in lines:
        if line.event:
            if line.step < replay.step:
                raise _no_sense(line)
            replay.go_to(line.step)
            replay.hear(line)
    replay.go_to(replay.task.max_steps)
    if not set(replay.parts.values()) <= set(parts):
        raise EngineError(
            f"The metrics of this run tell of steps of a part that a {began.title} does not have.",
            "Choose a run of this version of Atelier.",
        )
    steps = replay.task.max_steps
    tasks = [(step, task) for step, task in sorted(replay.tasks.items()) if step <= steps]
    return Steering(((1, began), *tasks), replay.parts, frozenset(replay.resumed_after), steps)


def _no_sense(line: MetricLine) -> EngineError:
    return EngineError(
        f"The metrics of this run are in no order: {line.event}, at step {line.step:,}.",
        "Choose a run of this version of Atelier.",
    )


@dataclass(frozen=True)
class SteeredLines:
    """What the steering adds to a program; all empty for a run that was left to itself."""

    changes: str
    """Stands before the loop."""
    change: str
    """Lines in the loop, before all else of a step."""
    steps: str
    """How many steps there are, as an expression."""


def steered_lines(
    how: Steering, of: Callable[[TrainingTask], Constants], then: str = ""
) -> SteeredLines:
    """Lines that change the constants `of` a task where they were changed, and `then` do more."""
    changed = how.constants(lambda task: {"STEPS": task.max_steps, **of(task)})
    names = {name for values in changed.values() for name in values}
    same = "STEPS" not in names and how.steps == how.tasks[0][1].max_steps
    steps = "STEPS" if same else str(how.steps)
    if not changed:
        return SteeredLines("", "", steps)
    rows = "".join(f"    {step}: {values!r},\n" for step, values in changed.items())
    more = then if names != {"STEPS"} else ""
    return SteeredLines(_TABLE.format(rows=rows), _LINE + more, steps)


_TABLE = """\
CHANGED = {{  # by somebody while it learned, before these steps
{rows}}}
"""
_LINE = """\
    globals().update(CHANGED.get(step, {}))
"""
