"""How a picture was made as A1111 and its heirs write it: prompts, then `Key: value` pairs."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from engine import registry
from engine.errors import EngineError

if TYPE_CHECKING:
    from engine.metadata import TaskRecord, Value

# The names under which other studios (A1111 and its heirs) look for the same fields.
READABLE_NAMES = {
    "num_inference_steps": "Steps",
    "scheduler": "Sampler",
    "guidance_scale": "CFG scale",
    "seed": "Seed",
}
_ELSEWHERE = {"prompt", "negative_prompt", "model", "width", "height", "num_images_per_prompt"}
_IN_THE_PROMPT = {"style"}


def parameters(record: TaskRecord, size: tuple[int, int], program: str) -> str:
    """The readable text: prompt, negative prompt, then `Key: value` pairs on one line."""
    values = record.values
    lines = [str(values.get("prompt", ""))]
    if values.get("negative_prompt"):
        lines.append(f"Negative prompt: {values['negative_prompt']}")
    pairs = {READABLE_NAMES[name]: values[name] for name in READABLE_NAMES if name in values}
    pairs["Size"] = f"{size[0]}x{size[1]}"
    if record.model_hash:
        pairs["Model hash"] = record.model_hash[:10]
    if "model" in values:
        pairs["Model"] = values["model"]
    labels = _labels(record.name)
    for name, value in values.items():
        if name not in _ELSEWHERE | _IN_THE_PROMPT | set(READABLE_NAMES):
            pairs[labels.get(name, name)] = value
    for name, value in record.written.items():
        pairs[f"{labels.get(name, name)} as written"] = value
    pairs["Version"] = program
    lines.append(", ".join(f"{key}: {_quoted(value)}" for key, value in pairs.items()))
    return "\n".join(lines)


def _quoted(value: Value) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return json.dumps(text, ensure_ascii=False) if re.search(r'[,:"\n]', text) else text


def _labels(task: str) -> dict[str, str]:
    """What a person calls the fields of the task of that name, where it is known."""
    try:
        return {f.name: f.param.label for f in registry.task_class(task).fields()}
    except EngineError:
        return {}
