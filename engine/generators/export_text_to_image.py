"""Makes an image model of a training run: a pipeline folder that diffusers can load."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from engine import checkpoints, files
from engine.errors import FileError, ModelError
from engine.runs import RunFolder
from engine.task import Notice, Progress, Report, Saved, Task, param

if TYPE_CHECKING:
    from engine.models.flow_transformer import FlowTransformer

INDEX = "model_index.json"  # written last: with it the folder is a model
SHARD = "45MB"  # so that the files can be kept in a repository


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
        with tempfile.TemporaryDirectory() as folder:
            report(Progress(1, 2, "writing the model"))
            _write_pipeline(run, state, Path(folder))
            names = sorted(
                path.relative_to(folder) for path in Path(folder).rglob("*") if path.is_file()
            )
            for name in sorted(names, key=lambda name: name.name == INDEX):
                files.write_bytes(target / name, (Path(folder) / name).read_bytes())
        report(Progress(2, 2, "writing the model"))
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


def _write_pipeline(run: RunFolder, state: dict[str, Any], folder: Path) -> None:
    from engine.models import caption_tokenizer, pipeline_folder

    model = _model(run, state)
    tokenizer = caption_tokenizer.from_json(state["tokenizer"]["json"], model.config.max_tokens)
    pipeline = pipeline_folder.build_pipeline(model, tokenizer, _autoencoder(state["autoencoder"]))
    pipeline.save_pretrained(folder, max_shard_size=SHARD)
    for name in ("text_encoder", "text_encoder_2"):
        _compute_in_float32(folder / name / "config.json")
    files.write_json(folder / "latent_rgb.json", state["latent_rgb"])


def _compute_in_float32(config: Path) -> None:
    """Unless told otherwise diffusers computes in float32 and transformers as stored: not alike."""
    settings = json.loads(config.read_text(encoding="utf-8"))
    files.write_json(config, {**settings, "dtype": "float32"})


def _model(run: RunFolder, state: dict[str, Any]) -> FlowTransformer:
    from engine.models.flow_transformer import FlowConfig, FlowTransformer

    try:
        model = FlowTransformer(FlowConfig(**run.description()["model"]))
        model.load_state_dict(state["model_ema"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"The weights in {run.path} do not fit what its run.json describes.",
            "One of the two was changed; choose another run.",
        ) from error
    return model


def _autoencoder(weights: dict[str, Any]) -> Any:
    """Its shape can be read off its weights."""
    from engine.models import tiny_autoencoder

    first = weights["decoder.layers.0.weight"]
    config = tiny_autoencoder.AutoencoderConfig(first.shape[1], first.shape[0])
    autoencoder = tiny_autoencoder.build(config)
    autoencoder.load_state_dict(weights)
    return autoencoder
