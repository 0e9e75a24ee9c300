"""Training runs as image models, also while they learn: a checkpoint becomes a pipeline folder.

`NAME` is the newest checkpoint of the run called so, `NAME@STEP` that of one step. The folders lie
in the cache; each is made once, and from then on it is a model like any other.
"""

from __future__ import annotations

from pathlib import Path

from engine import checkpoints, folders
from engine.errors import FileError, ModelError
from engine.events import Progress, Report
from engine.pipeline_export import INDEX, write_pipeline
from engine.runs import RunFolder, list_runs

TASK = "train_text_to_image"


def names() -> list[str]:
    """The runs that a picture can be drawn with, the newest first."""
    return [run.path.name for run in list_runs(folders.runs()) if draws(run) and run.checkpoints()]


def draws(run: RunFolder) -> bool:
    """Whether what the run learns draws from words."""
    try:
        return run.exists and run.description().get("task") == TASK
    except FileError:  # the list of runs tells of it
        return False


def run_of(name: str) -> RunFolder | None:
    """The run that `NAME` or `NAME@STEP` means; None where it is no such name."""
    return _asked(name)[0]


def pinned(name: str) -> str:
    """`name` with the step of the checkpoint it stands for now; other models' names as they are."""
    run, step = _asked(name)
    if run is None or step is not None:
        return name
    newest = max((number for number, _ in run.checkpoints()), default=None)
    return name if newest is None else f"{name}@{newest}"


def find(name: str) -> Path | None:
    """Where the pipeline folder of this run is or will be; None where it is no run's name.

    Raises ModelError for a checkpoint that is not there.
    """
    run, step = _asked(pinned(name))
    if run is None:
        return None
    steps = [number for number, _ in run.checkpoints()]
    if step is None or step not in steps:
        known = ", ".join(map(str, steps))
        raise ModelError(
            f"{run.path} has no complete checkpoint{'' if step is None else f' of step {step}'}.",
            f"There are those of the steps {known}." if steps else "Train it longer.",
        )
    return _folder(run, step)


def prepare(path: Path, report: Report) -> None:
    """Write the pipeline folder `path` that `find` told of, unless it is there; other paths pass.

    The chance of a training that asks for it stays as it is. Raises ModelError and FileError.
    """
    if path.parent != _room() or (path / INDEX).is_file():
        return
    run, step = _asked(path.name)
    if run is None or step is None:
        raise ModelError(f"The run that {path.name} came from is gone.", "Choose another model.")
    report(Progress(0, 2, "reading the checkpoint"))
    _, state = checkpoints.load(run.checkpoint_path(step))
    import torch

    with torch.random.fork_rng(devices=[]):
        write_pipeline(run, state, path, report)


def _asked(name: str) -> tuple[RunFolder | None, int | None]:
    """The run and the step that `name` means, where it names a run of ours."""
    run_name, _, step = name.rpartition("@")
    for candidate, number in ((name, None), (run_name, step)):
        if not candidate or Path(candidate).name != candidate:
            continue
        run = RunFolder(folders.runs() / candidate)
        if draws(run) and (number is None or number.isdecimal()):
            return run, None if number is None else int(number)
    return None, None


def _folder(run: RunFolder, step: int) -> Path:
    return _room() / f"{run.path.name}@{step}"


def _room() -> Path:
    return folders.cache() / "trained"
