"""The lines by which a program changes values at the steps at which the run was changed.

A program of a run that was left to itself has none of them: its values are plain numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.run_programs.recorded import RecordedRun

_BEFORE = """\
live = {values!r}
CHANGES = {changes!r}  # after the step of that number

"""
_EACH = """\
    live.update(CHANGES.get(step - 1, {}))
"""
_RATE = """\
    {optimizer}.param_groups[0]["lr"] = live[{name!r}]
"""


@dataclass(frozen=True)
class LiveLines:
    run: RecordedRun
    rates: Mapping[str, str]
    """The optimizers by the fields of their rates, where no other line gives it to them."""

    @property
    def names(self) -> set[str]:
        """The fields that were changed on the way."""
        return {name for values in self.run.changes.values() for name in values}

    def value(self, name: str) -> str:
        """The field as an expression."""
        return f"live[{name!r}]" if name in self.names else repr(getattr(self.run.task, name))

    def before(self) -> str:
        """What stands before the loop over the steps."""
        if not self.names:
            return ""
        values = {name: getattr(self.run.task, name) for name in sorted(self.names)}
        return _BEFORE.format(values=values, changes=dict(self.run.changes))

    def each(self) -> str:
        """What stands at the beginning of a step."""
        if not self.names:
            return ""
        rates = (
            _RATE.format(optimizer=optimizer, name=name)
            for name, optimizer in self.rates.items()
            if name in self.names
        )
        return _EACH + "".join(rates)
