"""Finds the tasks: every file in `generators` and `trainers` that holds a Task."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from engine import generators, trainers
from engine.errors import EngineError
from engine.task import Task

ROOMS = (generators, trainers)


@cache
def task_names() -> tuple[str, ...]:
    """The names of all tasks, generators first. Nothing heavy is imported."""
    names = [
        module.name
        for room in ROOMS
        for module in pkgutil.iter_modules(room.__path__)
        if _task_class(f"{room.__name__}.{module.name}") is not None
    ]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ImportError(f"two tasks share a name: {', '.join(sorted(twice))}")
    return tuple(names)


def task_class(name: str) -> type[Task]:
    """The task called `name`; raises EngineError."""
    for room in ROOMS:
        if any(module.name == name for module in pkgutil.iter_modules(room.__path__)):
            found = _task_class(f"{room.__name__}.{name}")
            if found is not None:
                return found
    raise EngineError(f"There is no task named {name!r}.", f"Known: {', '.join(task_names())}.")


def is_training(task: type[Task]) -> bool:
    """Whether the task learns, and so runs on the engine that can wait."""
    return task.__module__.startswith(trainers.__name__)


@cache
def _task_class(module_name: str) -> type[Task] | None:
    module = importlib.import_module(module_name)
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Task) and value.__module__ == module_name
    ]
    if len(found) > 1:
        raise ImportError(f"{module_name} holds more than one task")
    return found[0] if found else None
