"""Makes a language model of a training run: a transformers folder, a LoRA merged into its model."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from engine import device, files
from engine.errors import FileError, InvalidTask
from engine.events import Progress, Report, Saved
from engine.language import lora, model_files, trained
from engine.runs import RunFolder
from engine.task import Task, param

if TYPE_CHECKING:
    from engine.language.openable import Opened

PRECISIONS = ("float32", "bfloat16", "float16")


@dataclass(frozen=True)
class ExportLanguageModel(Task):
    """The weights of a run with its tokenizer and settings: what Write and others can load."""

    title: ClassVar[str] = "Export a language model"
    summary: ClassVar[str] = "Makes a model folder of a language model's training run."

    run_folder: str = param(
        label="Training run",
        help="The folder of a run of a language model; the run may still be going on.",
        kind="folder",
        required=True,
    )
    model_name: str = param(
        "my-language-model",
        label="Name",
        help="The name of the new model's folder. In the models folder of the studio, Write knows "
        "it by this name.",
        required=True,
    )
    checkpoint: int = param(
        0,
        label="Checkpoint",
        help="The step of training whose weights are taken. 0 takes the newest.",
        minimum=0,
        maximum=100_000_000,
        unit="step",
        zero="newest",
    )
    weights: str = param(
        "best",
        label="Weights",
        help="best are those that knew the held-out text best until the checkpoint; last those of "
        "exactly its step.",
        choices=trained.WEIGHTS,
        advanced=True,
    )
    precision: str = param(
        "float32",
        label="Precision",
        help="The half precisions make files of half the size, which write nearly the same.",
        choices=PRECISIONS,
        advanced=True,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if Path(self.model_name).name != self.model_name or self.model_name.startswith("."):
            raise InvalidTask(
                "model_name", f"{self.model_name!r} is no name for a folder.", "Leave out / and .."
            )

    def run(self, report: Report, out: Path) -> None:
        target = out / self.model_name
        if target.exists():
            raise FileError(f"{target} is there already.", "Choose another name.")
        files.make_folder(out)
        device.configure_threads()
        import torch

        report(Progress(0, 2, "reading the run"))
        run = RunFolder(Path(self.run_folder).expanduser())
        opened = trained.open_run(run, self.checkpoint, self.weights, torch.float32, report)
        report(Progress(1, 2, "writing the model"))
        self._write(opened, target)
        report(Progress(2, 2, "writing the model"))
        report(Saved(target))

    def _write(self, opened: Opened, target: Path) -> None:
        """Through a folder of its own, since transformers writes files by itself."""
        import torch

        model: Any = opened.model
        if model_files.entry_of(model) == model_files.ADAPTER:
            model = lora.merged(model)
        model = model.to(getattr(torch, self.precision))
        with tempfile.TemporaryDirectory() as folder:
            model.save_pretrained(folder)
            opened.tokenizer.save_pretrained(folder)
            record = opened.facts | {"task": self.name(), "fields": self.to_dict()}
            files.write_json(Path(folder) / "atelier.json", record)
            names = sorted(path.name for path in Path(folder).iterdir() if path.is_file())
            files.write_folder(
                target, ((name, (Path(folder) / name).read_bytes()) for name in names)
            )
