"""A checkpoint of a text-to-image run as a pipeline folder that diffusers can load."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import files
from engine.errors import ModelError
from engine.events import Progress, Report
from engine.runs import RunFolder

if TYPE_CHECKING:
    from engine.models.flow_transformer import FlowTransformer

INDEX = "model_index.json"  # written last: with it the folder is a model
SHARD = "45MB"  # so that the files can be kept in a repository


def write_pipeline(run: RunFolder, state: dict[str, Any], target: Path, report: Report) -> None:
    """The averaged weights in `state`, a checkpoint of `run`, as the folder `target`.

    Raises ModelError and FileError.
    """
    report(Progress(1, 2, "writing the model"))
    with tempfile.TemporaryDirectory() as folder:
        _save(run, state, Path(folder))
        names = [path.relative_to(folder) for path in Path(folder).rglob("*") if path.is_file()]
        for name in sorted(names, key=lambda name: (name.name == INDEX, name)):
            files.write_bytes(target / name, (Path(folder) / name).read_bytes())
    report(Progress(2, 2, "writing the model"))


def _save(run: RunFolder, state: dict[str, Any], folder: Path) -> None:
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
