"""Learning-rate schedules: the part of the learning rate that a step uses."""

from __future__ import annotations

import math

SCHEDULES = ("cosine", "linear", "constant")


def factor(schedule: str, step: int, warmup_steps: int, max_steps: int) -> float:
    """Of `step`, counted from 1: rises to 1 over the warmup, then falls to 0 at the end, unless it
    stays constant. As transformers' get_scheduler, whose steps count from 0."""
    done = step - 1
    if done < warmup_steps:
        return done / warmup_steps if done else 1 / (2 * warmup_steps)
    if schedule == "constant":
        return 1.0
    part = (done - warmup_steps) / max(1, max_steps - warmup_steps)
    if schedule == "linear":
        return max(0.0, 1.0 - part)
    return 0.5 * (1.0 + math.cos(math.pi * min(1.0, part)))
