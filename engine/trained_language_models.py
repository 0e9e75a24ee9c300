"""Training runs as language models, also while they learn: each checkpoint is one."""

from __future__ import annotations

from pathlib import Path

from engine.runs import RunFolder
from engine.trained_runs import TrainedRuns

TASKS = ("train_language_model", "finetune_language_model")
RUNS = TrainedRuns(TASKS, "model")


def find(name: str) -> Path | None:
    """The checkpoint that `NAME` or `NAME@STEP` means; None where it is no run's name.

    Raises ModelError for a checkpoint that is not there.
    """
    found = RUNS.find(name)
    return found[1] if found else None


def run_of(path: Path) -> tuple[RunFolder, int] | None:
    """The run and the step whose checkpoint the folder `path` is, the newest where it is a whole
    run; None for any other folder."""
    whole = RunFolder(path)
    if RUNS.has(whole):
        return next(((whole, number) for number, _ in reversed(whole.checkpoints())), None)
    run, step = RunFolder(path.parent.parent), path.name.removeprefix("step-")
    if path.parent.name == "checkpoints" and step.isdecimal() and RUNS.has(run):
        return run, int(step)
    return None
