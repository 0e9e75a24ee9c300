"""What is drawn of what was written: styles put around it, wildcards chosen by the seed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

from engine.metadata import Value
from engine.prompts.styles import others, styled
from engine.prompts.weights import is_balanced
from engine.prompts.wildcards import evaluate
from engine.task import Task, param

CONTRAST = 0.5
"""How much of a prompt is kept away from where a style is asked for that the model learned by name.

Guidance leads from the negative prompt to the prompt (Ho and Salimans, arXiv:2207.12598): where
both say what is to be drawn, most of the way between them is the style. More of it costs the
picture what is drawn: `tests/benchmarks/sticker_quality` measures both.
"""

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
    model, written = str(values.get("model", "")), str(values.get("prompt", ""))
    prompt, negative_prompt = styled(written, str(values.get("negative_prompt", "")), style, model)
    negative_prompt = evaluate(negative_prompt, seed, "negative_prompt")
    if (rest := others(style, model)) != style:
        plain = evaluate(styled(written, "", rest, model)[0], seed, "prompt")
        negative_prompt = ", ".join(filter(None, (negative_prompt, _contrast(plain))))
    whole = {
        "prompt": evaluate(prompt, seed, "prompt"),
        "negative_prompt": negative_prompt,
        "style": "",
    }
    return {name: text for name, text in whole.items() if name in values}


def _contrast(plain: str) -> str:
    """For a negative prompt: the prompt without the style that is to be seen all the clearer."""
    return f"({plain}:{CONTRAST:g})" if plain and is_balanced(plain) else plain
