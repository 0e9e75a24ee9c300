"""What a training measured lately: the sliding window that the rules of alarms look at."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

WINDOW = 100  # steps that a rule looks at
AVERAGED = 20  # steps over which the loss beside a val_loss is averaged


@dataclass(frozen=True)
class Spread:
    """How far samples are from each other at a step, and as many real ones: see Spreading."""

    step: int
    drawn: float
    real: float

    @property
    def ratio(self) -> float:
        return self.drawn / self.real if self.real > 0 else 1.0


@dataclass(frozen=True)
class Validation:
    """The loss on held-out data, and on what is learned from, at a step."""

    step: int
    held_out: float
    learned: float


class History:
    """The last steps of every metric; of what is measured rarely, all."""

    def __init__(self) -> None:
        self.first: dict[str, float] = {}
        self.spreads: list[Spread] = []
        self.validations: list[Validation] = []
        self._lately: dict[str, deque[tuple[int, float]]] = {}

    def add(self, step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self.first.setdefault(name, value)
            self._lately.setdefault(name, deque(maxlen=WINDOW)).append((step, value))
        learned = self.mean("train_loss", AVERAGED) or self.mean("loss", AVERAGED)
        if learned is not None and "val_loss" in values:
            self.validations.append(Validation(step, values["val_loss"], learned))

    def add_spread(self, step: int, drawn: float, real: float) -> None:
        self.spreads.append(Spread(step, drawn, real))

    @property
    def names(self) -> list[str]:
        return list(self._lately)

    def last(self, name: str) -> float | None:
        lately = self._lately.get(name)
        return lately[-1][1] if lately else None

    def full(self, name: str) -> bool:
        """Whether a whole window of it was measured."""
        return len(self._lately.get(name, ())) == WINDOW

    def mean(self, name: str, count: int = WINDOW) -> float | None:
        """The mean of its last `count` values; None where there is none."""
        values = self._values(name, count)
        return statistics.fmean(values) if values else None

    def median(self, name: str, count: int) -> float | None:
        """The median of its last `count` values; None where there are fewer."""
        values = self._values(name, count)
        return statistics.median(values) if len(values) == count else None

    def _values(self, name: str, count: int) -> list[float]:
        return [value for _, value in self._lately.get(name, ())][-count:]
