"""Takes a model in: looks inside to see what it is, then writes it to the models of the person."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from engine import files, incoming, library, model_facts
from engine.errors import FileError, InvalidTask
from engine.events import ModelFacts, Notice, Progress, Report, Saved
from engine.incoming import Incoming, Wishes
from engine.single_file.schedules import AUTO, PREDICTIONS
from engine.task import Task, param

SPARE = 500_000_000  # bytes that are left free on the disk


@dataclass(frozen=True)
class AddModel(Task):
    """The original stays where and as it is; what it becomes appears whole or not at all."""

    title: ClassVar[str] = "Add a model"
    summary: ClassVar[str] = "Checks a model and writes it to those of the studio."

    path: str = param(
        label="File or folder",
        help="A folder of diffusers or transformers, a .gguf file, a LoRA, or a Stable Diffusion "
        "1, 2 or XL in one file (.safetensors), which becomes a folder of diffusers.",
        kind="model",
        required=True,
    )
    read_pickles: bool = param(
        False,
        label="Convert pickles",
        help="Takes .ckpt, .pt and .bin too, which can run programs when they are opened: only "
        "their numbers are read, in a process of its own, and written as safetensors.",
    )
    prediction: str = param(
        AUTO,
        label="Predicts",
        help="What a Stable Diffusion in one file learned to predict: the noise (epsilon) or the "
        "velocity (v_prediction). If its pictures are all noise or all grey, choose the other.",
        choices=PREDICTIONS,
        advanced=True,
    )
    missing_from: str = param(
        "",
        label="Missing parts from",
        help="A model of the same family, for a file that lacks its VAE or its text encoders.",
        choices=library.image_models,
        editable=True,
        kind="model",
        advanced=True,
    )

    vae: str = param(
        "",
        label="VAE",
        help="A VAE in one file that takes the place of the checkpoint's own. It must be of the "
        "same family, which its file does not tell: with another, colours are wrong.",
        kind="file",
        advanced=True,
    )

    def run(self, report: Report, out: Path) -> None:
        """Raises ModelError that says what is wrong with it, FileError, InvalidTask."""
        path = Path(self.path).expanduser().absolute()
        report(Progress(0, None, "looking inside"))
        wishes = Wishes(self.read_pickles, self.prediction, self.missing_from, self.vae)
        with incoming.opened(path, wishes, report) as model:
            if model.facts:
                report(model.facts)
            if model.target.exists():
                raise InvalidTask(
                    "path",
                    f"There is a model called {model.target.name} already.",
                    "Rename the file or folder, or remove the other one first.",
                )
            _check_space(model.size, model.target)
            facts = _write(model, report)
        report(Notice(f"{facts.name} is a {facts.kind}; it is in the lists of models now."))
        report(Saved(model.target))


def _write(model: Incoming, report: Report) -> ModelFacts:
    done = 0

    def written(what: str, size: int) -> None:
        nonlocal done
        done += size
        report(Progress(min(done, model.size), model.size, f"{verb} {what}", "bytes"))

    verb = "writing" if model.converted else "copying"
    files.make_folder(model.target.parent)
    room = Path(tempfile.mkdtemp(prefix=files.TEMPORARY_PREFIX, dir=model.target.parent))
    try:
        made = room / model.target.name
        model.fill(made, written)
        facts = model.facts
        if model.converted or facts is None:  # what was made passes the gate as anything else
            facts = model_facts.facts_at(made, report)
            report(facts)
        files.move(made, model.target)
    finally:
        shutil.rmtree(room, ignore_errors=True)
    return facts


def _check_space(needed: int, target: Path) -> None:
    files.make_folder(target.parent)
    free = shutil.disk_usage(target.parent).free
    if needed + SPARE > free:
        raise FileError(
            f"{target.name} needs {needed / 1e9:.1f} GB on the disk of {target.parent}; "
            f"{max(0, free - SPARE) / 1e9:.1f} GB can be taken.",
            "Free some space, or move your data folder to a larger disk.",
        )
