"""How fast a training is, and how much memory it holds."""

from __future__ import annotations

import os
import time

from engine import liveness


class StepClock:
    """Counts the steps since training started or went on after a pause."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        self.began = time.perf_counter()
        self.steps = 0

    def tick(self) -> None:
        self.steps += 1

    def measured(self) -> dict[str, float]:
        """Steps a second, and gigabytes of memory where the system tells."""
        speed = self.steps / max(time.perf_counter() - self.began, 1e-9)
        memory = liveness.memory(os.getpid()) / 1e9
        return {"steps_per_second": speed} | ({"memory_gb": memory} if memory else {})
