"""What is drawn of what was written: styles put around it, wildcards chosen by the seed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

from engine.metadata import Value
from engine.prompts.styles import styled
from engine.prompts.wildcards import evaluate
from engine.task import Task, param

Written = TypeVar("Written", bound=Task)


def style_param() -> Any:
    """The styles of every task that takes a prompt."""
    return param(
        "",
        label="Style",
        help="Names of styles that are put around the prompt, with commas between them.",
        kind="styles",
    )


def evaluated(task: Written) -> tuple[Written, dict[str, Value]]:
    """The task with the prompts that are drawn, and the fields that were written otherwise.

    Of a task that makes one picture, with the seed of that picture. Evaluating it again changes
    nothing. Raises EngineError for wildcards and styles that are not there.
    """
    written = task.to_dict()
    whole = evaluated_values(written)
    changed = {name: written[name] for name in whole if written[name] != whole[name]}
    if not changed:
        return task, {}
    return dataclasses.replace(task, **{name: whole[name] for name in changed}), changed


def evaluated_values(values: Mapping[str, Any]) -> dict[str, str]:
    """The prompts as they are drawn, and no style left to put around them."""
    style, seed = str(values.get("style", "")), int(values.get("seed", 0))
    prompt, negative_prompt = styled(
        str(values.get("prompt", "")),
        str(values.get("negative_prompt", "")),
        style,
        str(values.get("model", "")),
    )
    whole = {
        "prompt": evaluate(prompt, seed, "prompt"),
        "negative_prompt": evaluate(negative_prompt, seed, "negative_prompt"),
        "style": "",
    }
    return {name: text for name, text in whole.items() if name in values}
