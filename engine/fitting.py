"""Which way to draw fits: what each plan needs, by the files and by what it took before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from engine import cache, device, measured_memory, memory, memory_plans, picture_memory
from engine.events import MemoryPlan
from engine.gate.model_folder import PipelineFolder
from engine.memory_plans import AS_IT_IS, EIGHT_BIT, PLANS, TILED, Savings

if TYPE_CHECKING:
    import torch

Size = tuple[int, int]

ERROR = 0.15
"""How far an estimate is off at most, as `tests/benchmarks/memory_plans.py` measures it."""

SHARES = (0.75, 0.5, 0.375, 0.25)
"""Of width and height, for pictures that become smaller."""
GRID = 64
"""Pixels that every model draws multiples of."""


def plans_of(folder: PipelineFolder, size: Size, resizable: bool) -> tuple[MemoryPlan, ...]:
    """As it is, then each that takes less than all before it; none where it cannot be told.

    `size` is that of the task, 0 for the model's own. Where it is `resizable`, smaller ones follow.
    """
    target = device.best_device()
    size = picture_memory.drawn_size(folder, size)
    found: list[MemoryPlan] = []
    seen: set[tuple[Savings, Size]] = set()
    for name, at in _ways(size, resizable):
        saving = memory_plans.savings(name, target.type, _dtype(target).itemsize)
        if (saving, at) in seen:
            continue
        seen.add((saving, at))
        needed = memory_plans.need(folder, at, saving, _dtype(target))
        if needed is None:
            return ()
        if all(needed < other.estimated for other in found):
            found.append(_plan(folder, name, at, size, saving, needed))
    return tuple(found)


def first_fitting(plans: Sequence[MemoryPlan], free: int) -> MemoryPlan | None:
    return next((plan for plan in plans if plan.needs <= free), None)


def wanted(plans: Sequence[MemoryPlan], name: str) -> MemoryPlan:
    """The plan called so, or the one before it that comes to the same here."""
    rank = PLANS.index(name)
    return [
        plan for plan in plans if PLANS.index(plan.name) <= rank and "width" not in plan.values
    ][-1]


def available() -> int:
    """Bytes for a model where it would compute: what is free, and what other models would give."""
    target = device.best_device()
    if target.type == "cuda":
        import torch

        return memory.free_on(target) + int(torch.cuda.memory_reserved(target))
    return memory.free_on(target) + cache.weight()


def _dtype(target: torch.device) -> torch.dtype:
    from engine.pipelines import drawing_dtype

    return drawing_dtype(target)


def _ways(size: Size, resizable: bool) -> Iterator[tuple[str, Size]]:
    """Every plan, then some of them for smaller pictures."""
    yield from ((name, size) for name in PLANS)
    for share in SHARES if resizable else ():
        width, height = (int(side * share) // GRID * GRID for side in size)
        if width and height:
            yield from ((name, (width, height)) for name in (AS_IT_IS, TILED, EIGHT_BIT))


def _plan(
    folder: PipelineFolder, name: str, at: Size, asked: Size, saving: Savings, needed: int
) -> MemoryPlan:
    key = measured_memory.key_of(folder.fingerprint, name, at, device.best_device())
    values: dict[str, str | int] = {"memory_plan": name}
    if at != asked:
        values |= {"width": at[0], "height": at[1]}
    return MemoryPlan(
        name=name,
        values=values,
        estimated=needed,
        took=measured_memory.taken_before(key),
        lossless=at == asked and memory_plans.is_lossless(saving, folder),
    )


def told(plan: MemoryPlan) -> str:
    """The plan in words: "with 8-bit weights, at 384 × 256"."""
    if "width" not in plan.values:
        return plan.name if plan.name == AS_IT_IS else f"with {plan.name}"
    size = f"at {plan.values['width']} × {plan.values['height']}"
    return size if plan.name == AS_IT_IS else f"with {plan.name}, {size}"
