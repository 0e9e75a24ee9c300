"""Runs that are drawn with in Create: text-to-image models, and LoRAs on the model below them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine import trained_loras, trained_models
from engine.runs import RunFolder


def settings_for(run: Path | None) -> dict[str, Any] | None:
    """What Create is to show, prompt included; None for a run that draws otherwise."""
    if run is None:
        return None
    folder = RunFolder(run)
    if trained_loras.RUNS.has(folder):
        base = folder.description().get("base")
        model = str(base.get("name")) if isinstance(base, dict) else ""
        return {"model": model, "loras": f"{run.name}: 1", "prompt": _first_prompt(folder)}
    if trained_models.draws(folder):
        return {"model": run.name, "prompt": _first_prompt(folder)}
    return None


def _first_prompt(run: RunFolder) -> str:
    prompts = run.description().get("sample_prompts")
    return str(prompts[0]) if isinstance(prompts, list) and prompts else ""
