"""Values of a training that may change while it runs: fields declared `param(..., live=True)`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine.checks import shown
from engine.errors import InvalidTask
from engine.learner import Changeable, Learner
from engine.task import Field, Task

if TYPE_CHECKING:
    from engine.training import TrainingTask


def live_fields(task: type[Task]) -> tuple[Field, ...]:
    """The fields that can change while it runs."""
    return tuple(field for field in task.fields() if field.param.live)


def live_values(task: Task) -> dict[str, Any]:
    """Their values, as JSON: a part of every checkpoint."""
    return {field.name: getattr(task, field.name) for field in live_fields(type(task))}


def changed(task: TrainingTask, values: Mapping[str, Any]) -> TrainingTask:
    """The task with other live values, checked by their own rules; raises InvalidTask."""
    known = {field.name for field in live_fields(type(task))}
    for name in values:
        if name not in known:
            raise InvalidTask(str(name), f"{shown(name)} cannot change while it runs.")
    return dataclasses.replace(task, **values)


def is_changeable(learner: Learner) -> bool:
    """Whether it can go on with another task."""
    return isinstance(learner, Changeable)


def check_changeable(learner: Learner, task: TrainingTask) -> None:
    """Raises InvalidTask when the learner cannot go on with another task."""
    if not is_changeable(learner):
        raise InvalidTask("name", f"A run of {task.name()} cannot change while it learns.")


def give(learner: Learner, task: TrainingTask) -> None:
    """Let the learner go on with the changed task, if it can."""
    if isinstance(learner, Changeable):
        learner.change(task)


def restored(task: TrainingTask, stored: Any) -> TrainingTask:
    """The task with the live values of a checkpoint; what this version does not know is left."""
    if not isinstance(stored, Mapping):
        return task
    known = live_values(task)
    kept = {name: value for name, value in stored.items() if name in known}
    return dataclasses.replace(task, **kept)
