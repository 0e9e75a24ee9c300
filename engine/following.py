"""What every process of a training but the first does: what it is told to, until the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import distributed, live_values
from engine.errors import Cancelled
from engine.events import Progress, Report
from engine.learner import Learner, parts_of, take_step
from engine.training_state import put_back

if TYPE_CHECKING:
    from engine.training import TrainingTask


def follow(task: TrainingTask, learner: Learner, report: Report) -> None:
    """Learn along with the first process, which owns the run folder."""
    task = put_back(learner, task, distributed.from_first())
    parts = ("", *parts_of(learner))
    stop = False
    while True:
        order, part = distributed.listen(stop)
        if order == distributed.END:
            return
        if order == distributed.CHANGE:
            task = live_values.changed(task, distributed.from_first())
            live_values.give(learner, task)
        elif order == distributed.RELOAD:
            task = put_back(learner, task, distributed.from_first())
        elif order != distributed.WAIT:
            distributed.mean(take_step(learner, order, parts[part]))
        try:
            report(Progress(max(order, 0), None, "following"))
        except Cancelled:
            stop = True  # the first process hears of it before the next step, and saves the work
