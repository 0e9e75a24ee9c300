"""Language models that were trained here, or are being trained now: from a run's checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engine import cache, checkpoints, device
from engine.errors import FileError, ModelError
from engine.events import Notice, Progress, Report
from engine.gate.transformers_folder import check_language_model
from engine.language import lora, model_files, openable, transformers_folder
from engine.language.identity import sha256
from engine.language.openable import Opened
from engine.language.transformers_folder import TransformersModel
from engine.runs import MANIFEST, RunFolder
from engine.trained_language_models import TASKS

if TYPE_CHECKING:
    import torch

WEIGHTS = ("best", "last")


def is_run(path: Path) -> bool:
    """Whether the folder holds a training run, of whatever kind."""
    return (path / "run.json").is_file()


def load(run: RunFolder, step: int, report: Report) -> TransformersModel:
    """The best weights of a checkpoint, kept warm from one text to the next; raises EngineError."""
    report(Progress(0, None, "loading the model"))
    path = run.checkpoint_path(step)
    key = ("trained", path, (path / MANIFEST).stat().st_mtime_ns)

    def load_it() -> TransformersModel:
        dtype = device.best_dtype(device.best_device())
        opened = open_run(run, step, "best", dtype, report)
        return TransformersModel(f"{run.path.name}@{step}", opened.model, opened.tokenizer)

    return cache.loaded(key, load_it)


def hashes(run: RunFolder, step: int, report: Report) -> dict[str, str]:
    """SHA-256 of the weights that `load` takes, by their file's name."""
    path = run.checkpoint_path(step)
    names = (f"{name}.safetensors" for name in (model_files.BEST, *model_files.ENTRIES))
    return next({name: sha256(path / name, report)} for name in names if (path / name).is_file())


def open_run(
    run: RunFolder, checkpoint: int, which: str, dtype: torch.dtype, report: Report
) -> Opened:
    """The model of a checkpoint; a LoRA comes on the model that it belongs to.

    `checkpoint` 0 is the newest that is whole. `which` is one of WEIGHTS: "best" on the held-out
    text, where the run kept those, or "last". Raises ModelError, FileError, OutOfMemory.
    """
    description = run.description()
    if description.get("task") not in TASKS:
        raise ModelError(
            f"{run.path} holds a run of {description.get('task')}, not of a language model.",
            f"Choose the folder of a run of {' or '.join(TASKS)}.",
        )
    step, path = _checkpoint(run, checkpoint, report)
    if checkpoints.has_entry(path, model_files.ADAPTER):
        entry, opened = model_files.ADAPTER, _with_adapter(run, path, dtype, report)
    else:
        entry, opened = model_files.WHOLE, _whole(path, dtype, report)
    best = which == "best" and checkpoints.has_entry(path, model_files.BEST)
    try:
        model_files.load_weights(
            opened.model, checkpoints.load_tensors(path, model_files.BEST if best else entry)
        )
    except RuntimeError as error:
        raise ModelError(
            f"The weights in {path} do not fit its config.json.",
            "One of the two was changed; choose another checkpoint.",
        ) from error
    facts = opened.facts | {"run": run.path.name, "step": step}
    return Opened(opened.model, opened.tokenizer, facts | {"weights": "best" if best else "last"})


def _checkpoint(run: RunFolder, step: int, report: Report) -> tuple[int, Path]:
    found = run.checkpoints()
    if step and step not in [number for number, _ in found]:
        known = ", ".join(str(number) for number, _ in found)
        raise ModelError(
            f"{run.path} has no complete checkpoint of step {step}.",
            f"Choose one of {known}." if known else "Train it longer.",
        )
    for number, path in reversed(found):
        if step in (0, number):
            try:
                checkpoints.has_entry(path, model_files.WHOLE)  # reads its manifest
            except FileError as error:
                if step:
                    raise
                report(Notice(f"{error.message} Trying the checkpoint before it."))
                continue
            return number, path
    raise ModelError(
        f"{run.path} has no complete checkpoint.",
        "Train it longer, or save a checkpoint now from the training monitor.",
    )


def _whole(path: Path, dtype: torch.dtype, report: Report) -> Opened:
    folder = check_language_model(path)
    return Opened(*transformers_folder.open_folder(folder, dtype, report))


def _with_adapter(run: RunFolder, path: Path, dtype: torch.dtype, report: Report) -> Opened:
    base = run.description().get("base")
    if not isinstance(base, dict):
        raise ModelError(f"{run.path / 'run.json'} does not name the model of its LoRA.", "")
    source = openable.find(str(base.get("name")), report)
    if source.sha256 != base.get("sha256"):
        raise ModelError(
            f"{source.path} is not the model that {run.path.name} was trained on any more.",
            "Put the old one back, or train anew.",
        )
    opened = openable.open_source(source, dtype, report)
    config = checkpoints.load_entry(path, model_files.ADAPTER_CONFIG)
    return Opened(lora.attach_again(opened.model, config), opened.tokenizer, opened.facts)
