"""The gate for model folders: what they name, what they miss, and no program of their own."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import ModelError
from engine.gate import json_text
from engine.gate.weights import PICKLE_SUFFIXES, check_safetensors, pickle_error, read_index

MAXIMUM_JSON = 4_000_000
INCOMPLETE = "Copy or download the whole folder again."
OWN_PROGRAM = (
    "Choose a model without a program of its own; Atelier runs only its own and its libraries'."
)

FORBIDDEN_KEYS = frozenset(
    {"auto_map", "trust_remote_code", "custom_pipeline", "custom_pipelines", "attn_implementation"}
)
"""Keys by which a configuration has made a library fetch or run code (CVE-2026-4372, -5241)."""

# What a component is follows from its class; what a pipeline may hold follows from this list.
_COMPONENT_KINDS = (
    ("scheduler", "diffusers", r"\w+Scheduler"),
    ("tokenizer", "transformers", r"\w+Tokenizer(Fast)?"),
    ("processor", "transformers", r"\w*(ImageProcessor(Fast|Pil)?|FeatureExtractor|Processor)"),
    ("model", "transformers", r"\w+(Model|ModelWithProjection|For[A-Z]\w+)"),
    ("model", "diffusers", r"\w*(Model|Transformer|Autoencoder\w*|VAE|UNet)"),
    ("model", "stable_diffusion", r"StableDiffusionSafetyChecker"),
)
_EXPECTED_KIND = (
    (r"(\w+_)?scheduler", {"scheduler"}),
    (r"(\w+_)?tokenizer(_\d)?", {"tokenizer", "processor"}),
    (r"unet|transformer(_\d)?|vae|(\w+_)?text_encoder(_\d)?", {"model"}),
)
CONFIG_FILES = {
    "model": ("config.json",),
    "scheduler": ("scheduler_config.json",),
    "processor": ("preprocessor_config.json", "processor_config.json"),
    "tokenizer": ("tokenizer.json", "vocab.json", "spiece.model", "tokenizer.model", "vocab.txt"),
}


@dataclass(frozen=True)
class Component:
    """One part of a pipeline, by the name of its folder."""

    name: str
    library: str
    class_name: str
    kind: str
    """scheduler, tokenizer, processor or model."""
    variant: str | None = None
    """The middle of `model.fp16.safetensors` where there are no weights without it."""
    weights: tuple[Path, ...] = ()
    parameters: int = 0


@dataclass(frozen=True)
class PipelineFolder:
    """A diffusers pipeline folder that passed the gate."""

    path: Path
    class_name: str
    components: tuple[Component, ...]
    absent: tuple[str, ...]
    """The parts it goes without."""
    fingerprint: str

    @property
    def weights(self) -> tuple[Path, ...]:
        return tuple(file for component in self.components for file in component.weights)

    @property
    def parameters(self) -> int:
        return sum(component.parameters for component in self.components)


def check_pipeline(path: Path) -> PipelineFolder:
    """The diffusers pipeline in the folder `path`; raises ModelError naming the file at fault.

    Nothing but this check has looked into the folder then: no library, no unpickler.
    """
    check_folder(path, "model_index.json", "a diffusers pipeline")
    before = fingerprint(path)
    index = read_config(path / "model_index.json")
    class_name = index.get("_class_name")
    if not isinstance(class_name, str) or not re.fullmatch(r"[A-Z]\w+Pipeline", class_name):
        raise ModelError(
            f"{path / 'model_index.json'} names no pipeline of diffusers.", OWN_PROGRAM
        )
    components = tuple(_components(path, index))
    if not any(component.kind == "model" for component in components):
        raise ModelError(f"{path / 'model_index.json'} names no model.", INCOMPLETE)
    absent = tuple(name for name, value in index.items() if value == [None, None])
    return PipelineFolder(path, class_name, components, absent, before)


def fingerprint(path: Path) -> str:
    """Names, sizes and times of all files: another value means that something was exchanged."""
    digest = hashlib.sha256()
    for file in _files(path):
        status = file.stat()
        line = (
            f"{file.relative_to(path)}\0{status.st_size}\0{status.st_mtime_ns}\0{status.st_ino}\n"
        )
        digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def check_folder(path: Path, needed: str, what: str) -> None:
    """A folder with the file that makes it one of these, and nothing in it that could run."""
    if not path.is_dir():
        problem = "is a single file" if path.exists() else "does not exist"
        hint = f"Choose a folder with {needed}."
        if path.exists() and needed == "model_index.json":
            hint += " Add a model makes one of a Stable Diffusion in one file."
        raise ModelError(f"{path} {problem}; {what} is a folder.", hint)
    if not (path / needed).is_file():
        raise ModelError(f"{path} has no {needed}.", f"Choose the folder of {what}.")
    for file in _files(path):
        if file.suffix in (".py", ".pyc", ".so", ".pyd", ".dll"):
            raise ModelError(f"The model brings a program of its own: {file}.", OWN_PROGRAM)
        if file.suffix == ".json" and "config" in file.name:
            _refuse_forbidden(file, read_config(file))


def _files(path: Path) -> list[Path]:
    """The files of the folder and of its components' folders; nothing deeper is ever read."""
    return sorted(file for pattern in ("*", "*/*") for file in path.glob(pattern) if file.is_file())


def read_config(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAXIMUM_JSON:
            raise ValueError("it is too large")
        config = json_text.parse(path.read_bytes(), finite=False)
        if not isinstance(config, dict):
            raise ValueError("it holds no settings")
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be used: {error}.", INCOMPLETE) from error
    return config


def _refuse_forbidden(path: Path, config: dict[str, Any]) -> None:
    """Refuse keys that make a library run code, however deep they are hidden."""
    waiting: list[Any] = [config]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, dict):
            waiting.extend(value.values())
            for key, item in value.items():
                _refuse_key(path, key, item)


def _refuse_key(path: Path, key: str, value: Any) -> None:
    # transformers 4 wrote a harmless "_attn_implementation_autoset": true
    runs_code = key in FORBIDDEN_KEYS or (key.startswith("_attn_") and not isinstance(value, bool))
    if runs_code and value not in (None, False):
        raise ModelError(f"{path} asks to run code from elsewhere ({key}).", OWN_PROGRAM)
    if key == "quantization_config" and value:
        raise ModelError(
            f"{path} describes quantised weights, which cannot be read here.",
            "Get the same model in half or full precision.",
        )


def _components(path: Path, index: Mapping[str, Any]) -> Iterator[Component]:
    for name, value in index.items():
        if name.startswith("_") or not isinstance(value, list):
            if isinstance(value, (str, dict)) and not name.startswith("_"):
                raise _unknown_component(path, name, value)
            continue  # a plain setting of the pipeline, such as requires_safety_checker
        if value == [None, None]:
            continue  # a part that this pipeline goes without
        yield _check_component(path, name, value)


def _check_component(path: Path, name: str, value: list[Any]) -> Component:
    if len(value) != 2 or not all(isinstance(part, str) for part in value):
        raise _unknown_component(path, name, value)
    library, class_name = value
    kind = _component_kind(library, class_name)
    expected = next((k for p, k in _EXPECTED_KIND if re.fullmatch(p, name)), {kind})
    if not re.fullmatch(r"[a-z]\w*", name) or kind is None or kind not in expected:
        raise _unknown_component(path, name, value)
    folder = path / name
    if not folder.is_dir():
        raise ModelError(f"{path} is incomplete: its part {name!r} is missing.", INCOMPLETE)
    require_one_of(folder, CONFIG_FILES[kind], f"the settings of its part {name!r}")
    if kind != "model":
        return Component(name, library, class_name, kind)
    return Component(name, library, class_name, kind, *check_weights(folder))


def _component_kind(library: str, class_name: str) -> str | None:
    for kind, of_library, pattern in _COMPONENT_KINDS:
        if library == of_library and re.fullmatch(pattern, class_name):
            return kind
    return None


def _unknown_component(path: Path, name: str, value: Any) -> ModelError:
    shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return ModelError(
        f"{path / 'model_index.json'} names something unknown as its {name[:40]!r}: {shown[:120]}.",
        OWN_PROGRAM,
    )


def require_one_of(folder: Path, names: tuple[str, ...], what: str) -> None:
    if not any((folder / name).is_file() for name in names):
        raise ModelError(f"{folder} is incomplete: {what} ({names[0]}) is missing.", INCOMPLETE)


def check_weights(folder: Path) -> tuple[str | None, tuple[Path, ...], int]:
    """Variant, files and number of parameters of the weights in `folder`, all of them complete."""
    variant, files = _find_weights(folder)
    for file in files:
        if not file.is_file():
            raise ModelError(f"{folder} is incomplete: {file.name} is missing.", INCOMPLETE)
    return variant, files, sum(check_safetensors(file) for file in files)


def _find_weights(folder: Path) -> tuple[str | None, tuple[Path, ...]]:
    for stem in ("diffusion_pytorch_model", "model"):
        if (folder / f"{stem}.safetensors").is_file():
            return None, (folder / f"{stem}.safetensors",)
        if (folder / f"{stem}.safetensors.index.json").is_file():
            return None, read_index(folder / f"{stem}.safetensors.index.json")
        for file in sorted(folder.glob(f"{stem}.*.safetensors")):
            variant = file.name[len(stem) + 1 : -len(".safetensors")]
            if re.fullmatch(r"[a-z]\w*", variant):
                return variant, (file,)
        for index in sorted(folder.glob(f"{stem}.safetensors.index.*.json")):
            return index.name.split(".")[-2], read_index(index)
    for file in sorted(folder.iterdir()):
        if file.suffix.lower() in PICKLE_SUFFIXES:
            raise pickle_error(file)
    if (folder / "adapter_config.json").is_file():
        raise ModelError(
            f"{folder} is a LoRA, not a whole model.", "Choose the model it belongs to."
        )
    raise ModelError(f"{folder} is incomplete: its weights (.safetensors) are missing.", INCOMPLETE)
