"""The ways out that an alarm offers: which checkpoint to go back to, which rate to lower."""

from __future__ import annotations

from collections.abc import Sequence

from engine.alarms.alarm import Remedy
from engine.live_values import live_values
from engine.task import Task

HALF = 0.5  # shifts the balance of two networks
TENTH = 0.1  # a rate at which a training breaks is not a little too high


def lowered_rates(task: Task, words: Sequence[str], factor: float) -> dict[str, float]:
    """`factor` times the live learning rates that the first of `words` is about that there is."""
    rates = {n: v for n, v in live_values(task).items() if n.endswith("learning_rate") and v > 0}
    for word in words:
        if found := {n: float(f"{v * factor:.6g}") for n, v in rates.items() if n.startswith(word)}:
            return found
    return {}


def remedies(
    task: Task, words: Sequence[str], factor: float, good_step: int, checkpoints: Sequence[int]
) -> tuple[Remedy, ...]:
    """Lower the rate, go back to the newest checkpoint that is still good, or both at once."""
    rates = lowered_rates(task, words, factor)
    back = max((step for step in checkpoints if step <= good_step), default=None)
    offered = []
    if rates:
        offered.append(Remedy(None, rates))
    if back is not None:
        offered.append(Remedy(back))
    if rates and back is not None:
        offered.append(Remedy(back, rates))
    return tuple(offered)
