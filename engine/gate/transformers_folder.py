"""The gate for folders of transformers: models that write, that find passages, that see."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import ModelError
from engine.gate.model_folder import (
    CONFIG_FILES,
    check_folder,
    check_weights,
    fingerprint,
    read_config,
    require_one_of,
)

SEES = ("ForConditionalGeneration", "VisionText2Text", "GitForCausalLM")
"""How the classes end that put pictures into words."""

PREPARES_PICTURES = {"image_processor_type", "image_processor", "image_mean"}


@dataclass(frozen=True)
class TransformersFolder:
    """A transformers folder of one model that passed the gate."""

    path: Path
    weights: tuple[Path, ...]
    parameters: int
    fingerprint: str


def check_language_model(path: Path) -> TransformersFolder:
    """The causal language model in the folder `path`; raises ModelError naming the file."""
    check_folder(path, "config.json", "a language model")
    before = fingerprint(path)
    config = read_config(path / "config.json")
    architectures = config.get("architectures") or ["ForCausalLM"]
    if not any(str(name).endswith(("ForCausalLM", "LMHeadModel")) for name in architectures):
        raise ModelError(
            f"{path} holds {architectures[0]}, which does not continue text.",
            "Choose a causal language model.",
        )
    return _whole(path, before)


def check_encoder(path: Path) -> TransformersFolder:
    """The encoder of texts in the folder `path`; raises ModelError naming the file."""
    check_folder(path, "config.json", "a model that finds passages")
    before = fingerprint(path)
    config = read_config(path / "config.json")
    architectures = config.get("architectures") or ["Model"]
    if not str(architectures[0]).endswith("Model"):
        raise ModelError(
            f"{path} holds {architectures[0]}, which does not turn texts into vectors.",
            "Choose an embedding model, such as all-MiniLM-L6-v2.",
        )
    return _whole(path, before)


def check_describer(path: Path) -> TransformersFolder:
    """The model that describes pictures in the folder `path`; raises ModelError naming the file."""
    check_folder(path, "config.json", "a model that describes pictures")
    before = fingerprint(path)
    if not sees(read_config(path / "config.json"), path):
        raise ModelError(
            f"{path} holds a model that does not describe pictures.",
            "Choose one such as SmolVLM-256M-Instruct or blip-image-captioning-base.",
        )
    require_one_of(path, CONFIG_FILES["processor"], "what prepares its pictures")
    return _whole(path, before)


def _whole(path: Path, before: str) -> TransformersFolder:
    """What every such folder must hold; `before` is what it was before it was looked into."""
    require_one_of(path, CONFIG_FILES["tokenizer"], "its tokenizer")
    _, weights, parameters = check_weights(path)
    return TransformersFolder(path, weights, parameters, before)


def sees(config: dict[str, Any], path: Path) -> bool:
    """Whether the folder with that configuration describes pictures; what hears has classes with
    the same endings, but prepares no pictures."""
    named = config.get("architectures")
    architectures = named if isinstance(named, list) else []
    if not any(str(name).endswith(SEES) for name in architectures):
        return False
    prepares = [path / name for name in CONFIG_FILES["processor"] if (path / name).is_file()]
    return any(PREPARES_PICTURES & read_config(file).keys() for file in prepares)
