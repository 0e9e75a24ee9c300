"""Training runs as language models, also while they learn: a checkpoint is a model to write with.

`NAME` is the newest checkpoint of the run called so, `NAME@STEP` that of one step.
"""

from __future__ import annotations

from pathlib import Path

from engine import folders
from engine.errors import FileError, ModelError
from engine.runs import RunFolder, list_runs

TASKS = ("train_language_model", "finetune_language_model")


def names() -> list[str]:
    """The runs that can write, the newest first."""
    return [run.path.name for run in list_runs(folders.runs()) if writes(run) and run.checkpoints()]


def writes(run: RunFolder) -> bool:
    """Whether what the run learns writes text."""
    try:
        return run.exists and run.description().get("task") in TASKS
    except FileError:  # the list of runs tells of it
        return False


def find(name: str) -> Path | None:
    """The checkpoint that `name` means; None where it is no run's name.

    Raises ModelError for a checkpoint that is not there.
    """
    for candidate, step in ((name, ""), (name.rpartition("@")[0], name.rpartition("@")[2])):
        run = RunFolder(folders.runs() / candidate)
        if not candidate or Path(candidate).name != candidate or not writes(run):
            continue
        found = [path for number, path in run.checkpoints() if step in ("", str(number))]
        if not found:
            raise ModelError(
                f"{run.path} has no complete checkpoint{f' of step {step}' if step else ''}.",
                "Train it longer, or choose another model.",
            )
        return found[-1]
    return None


def run_of(path: Path) -> tuple[RunFolder, int] | None:
    """The run and the step whose checkpoint the folder `path` is, the newest where it is a whole
    run; None for any other folder."""
    whole = RunFolder(path)
    if writes(whole):
        return next(((whole, number) for number, _ in reversed(whole.checkpoints())), None)
    run, step = RunFolder(path.parent.parent), path.name.removeprefix("step-")
    if path.parent.name == "checkpoints" and step.isdecimal() and writes(run):
        return run, int(step)
    return None
