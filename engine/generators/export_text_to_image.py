"""Makes an image model of a training run: a pipeline folder that diffusers can load."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from engine import checkpoints
from engine.errors import FileError, ModelError
from engine.events import Notice, Progress, Report, Saved
from engine.pipeline_export import write_pipeline
from engine.runs import RunFolder
from engine.task import Task, param


@dataclass(frozen=True)
class ExportTextToImage(Task):
    """The averaged weights of a run of train_text_to_image, with everything they need to draw."""

    title: ClassVar[str] = "Export an image model"
    summary: ClassVar[str] = "Makes an image model of a text-to-image training run."

    run_folder: str = param(
        "",
        label="Training run",
        help="The folder of a run of train_text_to_image; the run may still be going on.",
        kind="folder",
        required=True,
    )
    model_name: str = param(
        "my-model",
        label="Name",
        help="The name of the new model's folder.",
        required=True,
    )

    def run(self, report: Report, out: Path) -> None:
        run = RunFolder(Path(self.run_folder).expanduser())
        report(Progress(0, 2, "reading the run"))
        state = _newest(run, report)
        target = out / Path(self.model_name).name
        write_pipeline(run, state, target, report)
        report(Saved(target))


def _newest(run: RunFolder, report: Report) -> dict[str, Any]:
    """The state in the newest checkpoint that is whole."""
    if run.description().get("task") != "train_text_to_image":
        raise ModelError(
            f"{run.path} is not a run of train_text_to_image.", "Choose the folder of such a run."
        )
    for _, path in reversed(run.checkpoints()):
        try:
            return checkpoints.load(path)[1]
        except FileError as error:
            report(Notice(f"{error.message} Trying the checkpoint before it."))
    raise ModelError(f"{run.path} has no complete checkpoint.", "Train it longer.")
