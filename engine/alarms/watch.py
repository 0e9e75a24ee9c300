"""Watches one training: raises each alarm once, until what it was raised for has been over."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from engine.alarms.alarm import NOT_FINITE, Alarm, AllClear, Remedy
from engine.alarms.history import WINDOW, History
from engine.alarms.remedies import TENTH, lowered_rates, remedies
from engine.alarms.rules import RULES, Finding
from engine.task import Task

LOOK_EVERY = 10  # steps between two looks of the rules
CLEAR_AFTER = WINDOW  # steps without a finding


class Watch:
    """Is told what was measured, and says what is wrong. Not a part of a checkpoint: after a
    resume it knows nothing and learns it again."""

    def __init__(self) -> None:
        self._history = History()
        self._raised: dict[str, Alarm] = {}
        self._found_at: dict[str, int] = {}

    def see(self, step: int, values: Mapping[str, float]) -> None:
        """What was measured at `step`, all of it finite."""
        self._history.add(step, values)

    def see_spread(self, step: int, drawn: float, real: float) -> None:
        """See `engine.learner.Spreading`."""
        self._history.add_spread(step, drawn, real)

    def due(self, step: int) -> bool:
        """Whether `look` should be called at this step."""
        return step % LOOK_EVERY == 0

    def look(self, step: int, task: Task, checkpoints: Sequence[int]) -> list[Alarm | AllClear]:
        """New alarms, and the ends of old ones. `checkpoints`: the steps to go back to."""
        if not self.due(step):
            return []
        findings = [found for rule in RULES if (found := rule(self._history, step))]
        fresh: list[Alarm | AllClear] = []
        for found in findings:
            self._found_at[found.kind] = step
            if found.kind not in self._raised:
                self._raised[found.kind] = _alarm(found, task, checkpoints)
                fresh.append(self._raised[found.kind])
        over = [k for k in self._raised if step - self._found_at[k] >= CLEAR_AFTER]
        for kind in over:
            event = self._raised.pop(kind).event.replace("alarm: ", "over: ", 1)
            fresh.append(AllClear(kind, event))
        return fresh

    @property
    def needed(self) -> set[int]:
        """The steps whose checkpoints a raised alarm offers to go back to."""
        every = (remedy.step for alarm in self._raised.values() for remedy in alarm.remedies)
        return {step for step in every if step is not None}

    def not_finite(
        self, step: int, values: Mapping[str, float], task: Task, safe_step: int | None
    ) -> Alarm | None:
        """The alarm for a value that is NaN or infinite, after which there is no going on."""
        broken = [(name, value) for name, value in values.items() if not math.isfinite(value)]
        if not broken:
            return None
        name, value = broken[0]
        safe = "Nothing was saved yet."
        if safe_step is not None:
            safe = f"The checkpoint of step {safe_step} is safe."
        reason = (
            f"{name} became {value} at step {step}, and everything after it would be, so the "
            f"training has stopped. {safe}"
        )
        return Alarm(
            NOT_FINITE,
            f"{name} became {value}",
            reason,
            self._before(step, values),
            _from_safe(task, safe_step),
        )

    def _before(self, step: int, values: Mapping[str, float]) -> dict[str, float]:
        """What was measured one step earlier."""
        last = {name: self._history.last(name) for name in values}
        known = {f"{name}_before": value for name, value in last.items() if value is not None}
        return {"step": float(step), **known}


def _alarm(found: Finding, task: Task, checkpoints: Sequence[int]) -> Alarm:
    ways_out = remedies(task, found.rates, found.factor, found.good_step, checkpoints)
    return Alarm(found.kind, found.event, found.reason, found.numbers, ways_out)


def _from_safe(task: Task, safe_step: int | None) -> tuple[Remedy, ...]:
    if safe_step is None:
        return ()
    rates = lowered_rates(task, ("",), TENTH)
    with_rates = (Remedy(safe_step, rates),) if rates else ()
    return (*with_rates, Remedy(safe_step))
