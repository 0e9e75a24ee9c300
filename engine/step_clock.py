"""How fast a training is."""

from __future__ import annotations

import time


class StepClock:
    """Steps a second since training started or went on after a pause."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        self.began = time.perf_counter()
        self.steps = 0

    def tick(self) -> None:
        self.steps += 1

    def steps_per_second(self) -> float:
        return self.steps / max(time.perf_counter() - self.began, 1e-9)
