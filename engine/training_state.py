"""All that a training needs to go on exactly: the learner, chance, and what was changed live."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine import checkpoints, live_values
from engine.learner import Learner

if TYPE_CHECKING:
    from engine.training import TrainingTask

RANDOM, LIVE = "rng", "live"


def gathered(learner: Learner, task: TrainingTask) -> checkpoints.State:
    """The state of a training for `checkpoints.save`."""
    state = {**learner.state(), RANDOM: _random_state()}
    values = live_values.live_values(task)
    return {**state, LIVE: values} if values else state


def put_back(learner: Learner, task: TrainingTask, state: dict[str, Any]) -> TrainingTask:
    """Let the learner go on from `state`; returns the task with the live values it had then."""
    task = live_values.restored(task, state.pop(LIVE, None))
    _set_random_state(state.pop(RANDOM))
    learner.load_state(state)
    live_values.give(learner, task)
    return task


def _random_state() -> dict[str, Any]:
    """Where torch's default generators stand, on the CPU and on the GPU that is used."""
    import torch

    gpu = [torch.cuda.get_rng_state()] if torch.cuda.is_available() else []
    return {"torch": torch.get_rng_state(), "cuda": gpu}


def _set_random_state(state: Mapping[str, Any]) -> None:
    import torch

    torch.set_rng_state(state["torch"])
    if state["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["cuda"][0])
