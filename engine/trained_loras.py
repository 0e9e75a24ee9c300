"""LoRAs that were trained here, or are being trained now: a checkpoint's file is one.

`NAME` is the newest checkpoint of the run called so, `NAME@STEP` that of one step.
"""

from __future__ import annotations

from pathlib import Path

from engine import folders
from engine.errors import FileError, ModelError
from engine.runs import RunFolder, list_runs

TASK = "train_lora"
FILE = "lora.safetensors"


def names() -> list[str]:
    """The runs that have a LoRA, the newest first."""
    return [run.path.name for run in list_runs(folders.runs()) if learns(run) and run.checkpoints()]


def learns(run: RunFolder) -> bool:
    """Whether the run learns a LoRA."""
    try:
        return run.exists and run.description().get("task") == TASK
    except FileError:  # the list of runs tells of it
        return False


def find(name: str) -> Path | None:
    """The file that `name` means; None where it is no run's name.

    Raises ModelError for a checkpoint that is not there.
    """
    before, _, after = name.rpartition("@")
    for candidate, step in ((name, ""), (before, after)):
        run = RunFolder(folders.runs() / candidate)
        if not candidate or Path(candidate).name != candidate or not learns(run):
            continue
        found = [path for number, path in run.checkpoints() if step in ("", str(number))]
        if not found:
            raise ModelError(
                f"{run.path} has no complete checkpoint{f' of step {step}' if step else ''}.",
                "Train it longer, or choose another LoRA.",
            )
        return found[-1] / FILE
    return None
