"""Named ways of choosing words: values for the fields of a WritingTask that belong together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.writing_task import WritingTask

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "precise": {"temperature": 0.2, "top_k": 20, "top_p": 0.8, "min_p": 0.0},
    "balanced": {},
    # Warm, and kept sensible by min p, which the likeliest word sets (Nguyen et al., 2407.01082).
    "creative": {"temperature": 1.1, "top_k": 0, "top_p": 1.0, "min_p": 0.1},
}
"""What differs from the defaults of these fields."""
FIELDS = ("do_sample", "temperature", "top_k", "top_p", "min_p", "typical_p", "repetition_penalty")


def values(preset: str) -> dict[str, Any]:
    """All the fields that a preset sets."""
    defaults = {name: WritingTask.field(name).default for name in FIELDS}
    return defaults | dict(PRESETS[preset])


def preset_of(fields: Mapping[str, Any]) -> str:
    """The one that `fields` are; empty where they are none of them, or not all there."""
    told = {name: fields.get(name) for name in FIELDS}
    return next((name for name in PRESETS if values(name) == told), "")
