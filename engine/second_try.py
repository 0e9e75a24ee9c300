"""When memory runs out while a picture is drawn: once more, by a plan that takes less."""

from __future__ import annotations

import dataclasses
import gc
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from engine import cache, fitting, library
from engine.errors import OutOfMemory
from engine.events import MemoryPlan, Notice, Report
from engine.gate.model_folder import check_pipeline
from engine.memory_plans import AS_IT_IS
from engine.task import MAX_SEED

if TYPE_CHECKING:
    from engine.drawing_task import DrawingTask, Drawn

CLEARLY_LESS = 0.9
"""Times what did not fit, however much seems to be free: estimates are not better than that."""


def drawn(task: DrawingTask, report: Report) -> Iterator[Drawn]:
    """The images of the task; once, the rest of them by another plan. Raises OutOfMemory."""
    done = 0
    problem = ""
    try:
        for image in task.draw_once(report, {}):
            done = (image.task.seed - task.seed) % (MAX_SEED + 1) + 1
            yield image
    except OutOfMemory as error:  # let go of it: it holds on to what was half made
        problem = error.message
    if not problem:
        return
    make_room()
    plan = plan_for(task)
    if plan is None:
        raise OutOfMemory(problem, _choices(task, None))
    report(Notice(_explained(task, plan)))
    values: dict[str, Any] = dict(plan.values)
    rest = dataclasses.replace(
        task,
        seed=(task.seed + done) % (MAX_SEED + 1),
        num_images_per_prompt=task.num_images_per_prompt - done,
        **values,
    )
    try:
        yield from rest.draw_once(report, {"did_not_fit": task.memory_plan})
    except OutOfMemory as error:
        make_room()
        raise OutOfMemory(_failed(task, plan), _choices(task, plan)) from error


def make_room() -> None:
    """Give back what models and the halves of pictures hold."""
    import torch

    cache.clear()
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def plan_for(task: DrawingTask) -> MemoryPlan | None:
    """The mildest that fits of those that take less; else the strongest, if there is any."""
    milder = _milder(task)
    return fitting.first_fitting(milder, fitting.available()) or (milder[-1] if milder else None)


def _milder(task: DrawingTask) -> list[MemoryPlan]:
    names = {field.name for field in task.fields()}
    resizable = {"width", "height"} <= names
    size = (task.width, task.height) if resizable else (0, 0)  # type: ignore[attr-defined]
    plans = fitting.plans_of(check_pipeline(library.find(task.model)), size, resizable)
    if not plans:
        return []
    failed = fitting.wanted(plans, task.memory_plan)
    return [plan for plan in plans if plan.estimated < CLEARLY_LESS * failed.estimated]


def _explained(task: DrawingTask, plan: MemoryPlan) -> str:
    same = "the picture is the same" if plan.lossless else "the picture differs a little"
    return (
        f"{_name(task)} did not fit {_now(task)}; it is drawn {fitting.told(plan)}, which needs "
        f"about {plan.needs / 1e9:.1f} GB ({same})."
    )


def _failed(task: DrawingTask, plan: MemoryPlan) -> str:
    return (
        f"{_name(task)} fits neither {_now(task)} nor {fitting.told(plan)}: that needs about "
        f"{plan.needs / 1e9:.1f} GB of memory, and {fitting.available() / 1e9:.1f} GB are free."
    )


def _name(task: DrawingTask) -> str:
    return library.find(task.model).name


def _now(task: DrawingTask) -> str:
    return task.memory_plan if task.memory_plan == AS_IT_IS else f"with {task.memory_plan}"


def _choices(task: DrawingTask, tried: MemoryPlan | None) -> str:
    left = [plan for plan in _milder(task) if tried is None or plan.estimated < tried.estimated]
    by = f"draw {fitting.told(left[0])} (Memory, under Advanced), " if left else ""
    choices = f"{by}choose a smaller size or model, or close other programs."
    return choices[0].upper() + choices[1:]
