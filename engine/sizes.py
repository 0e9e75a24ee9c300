"""How large a model draws: the fields for it, what it can draw, and what suits a picture."""

from __future__ import annotations

import math
from typing import Any

from engine.errors import InvalidTask
from engine.pipelines import LoadedPipeline
from engine.task import param

MAXIMUM_SIZE = 4096
SLIMMEST = 4
"""How many times longer than the model's own side a side becomes at most, to suit a picture."""

Size = tuple[int, int]
"""Width and height in pixels."""


def size_param(label: str, help: str) -> Any:
    """Width or height of what is drawn; 0 leaves it to the task."""
    return param(
        0,
        label=label,
        help=help,
        minimum=0,
        maximum=MAXIMUM_SIZE,
        multiple_of=8,
        unit="px",
        zero="automatic",
    )


def check_multiples(model: LoadedPipeline, width: int, height: int) -> None:
    """Raise InvalidTask for what the pipeline cannot draw; 0 is for automatic."""
    multiple = model.size_multiple()
    for name, value in (("width", width), ("height", height)):
        if value % multiple:
            below = value // multiple * multiple
            raise InvalidTask(
                name,
                f"{name.capitalize()} is {value}, but this model draws multiples of {multiple}.",
                f"Choose {below or multiple}, {below + multiple}, or 0 for automatic.",
            )


def suiting(model: LoadedPipeline, proportions: Size) -> Size:
    """The size of these proportions that has the area of the model's own, in its multiples.

    A slimmer one than the model has room for is drawn wider than it is.
    """
    area = math.prod(model.own_size())
    scale = math.sqrt(area / math.prod(proportions))
    width, height = (_rounded(side * scale, model) for side in proportions)
    return width, height


def following(model: LoadedPipeline, width: int, height: int, proportions: Size) -> Size:
    """`width` and `height` where given (not 0); else as the other and the proportions have it."""
    if not width and not height:
        return suiting(model, proportions)
    wide, high = proportions
    return (
        width or _rounded(height * wide / high, model),
        height or _rounded(width * high / wide, model),
    )


def _rounded(side: float, model: LoadedPipeline) -> int:
    multiple = model.size_multiple()
    longest = min(model.longest_side() or MAXIMUM_SIZE, SLIMMEST * max(model.own_size()))
    most = max(1, min(longest, MAXIMUM_SIZE) // multiple)
    return min(max(round(side / multiple), 1), most) * multiple
