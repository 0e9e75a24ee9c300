"""What a model of this machine is and needs, told by its files alone.

The needs are those of the loaders, which refuse what does not fit. Measured on SmolLM2-135M they
are right to 1 % as a GGUF, and 15 % too low as a folder (`tests/benchmarks/memory_needs.py`). What
a picture needs beside its model is told where a picture is asked about.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from engine import (
    device,
    fitting,
    library,
    memory,
    memory_plans,
    model_source,
    trained_models,
)
from engine.errors import ModelError
from engine.events import IMAGE_MODEL, ModelFacts, Report
from engine.gate import checkpoint_file
from engine.gate.gguf import read_header
from engine.gate.lora import check_lora
from engine.gate.model_folder import check_pipeline, read_config
from engine.gate.transformers_folder import (
    TransformersFolder,
    check_describer,
    check_encoder,
    check_language_model,
)
from engine.gate.weights import PICKLE_SUFFIXES, check_safetensors, described
from engine.language import llama_cpp, transformers_folder
from engine.single_file import checkpoint
from engine.single_file.checkpoint import Checkpoint
from engine.single_file.layout import is_checkpoint, other_family
from engine.trained_language_models import run_of

CHOOSE = (
    "Choose a folder of diffusers or transformers, a .gguf file, or a LoRA or a Stable Diffusion "
    "in .safetensors."
)
DESCRIPTIONS = ("model_index.json", "config.json", "adapter_config.json")
SUFFIXES = (".gguf", ".safetensors")

MOST_OF_A_CARD = 20_000  # bytes of a README that may begin with a licence


@dataclass(frozen=True)
class Asked:
    """A picture that is to be drawn."""

    plan: str
    size: tuple[int, int]
    """Width and height; 0 is the model's own."""
    resizable: bool


def facts_of(name: str, report: Report) -> ModelFacts:
    """Of the model called `name`, or at that path; raises ModelError that names what is wrong.

    A checkpoint of a training that adds a LoRA needs what the model below it needs.
    """
    return facts_at(library.find(name), report)


def to_draw(facts: ModelFacts, path: Path, asked: Asked) -> ModelFacts:
    """With what drawing needs, and the plans by which it needs less, for an image model."""
    from engine.pipelines import drawing_dtype

    folder = check_pipeline(path)
    plans = fitting.plans_of(folder, asked.size, asked.resizable)
    if plans:
        needs = fitting.wanted(plans, asked.plan).needs
    else:  # a network that is not known here; its weights are
        target = device.best_device()
        dtype = drawing_dtype(target)
        saving = memory_plans.savings(asked.plan, target.type, dtype.itemsize)
        needs = memory_plans.weights_need(folder, saving, dtype)
    return replace(facts, needs=needs, free=fitting.available(), plans=plans)


def facts_at(path: Path, report: Report) -> ModelFacts:
    """Of what lies at `path`, told by what is inside; raises ModelError."""
    facts = _facts_at(path, report)
    source = model_source.read(path)
    if source is None:
        return facts
    said = f"{source.repository} @ {source.commit[:12]}"
    return replace(facts, source=said, licence=facts.licence or source.licence)


def _facts_at(path: Path, report: Report) -> ModelFacts:
    trained_models.prepare(path, report)
    if not path.exists() or not may_be_model(path):
        said = "is no model" if path.exists() else "is not there"
        raise ModelError(f"{path} {said}.", CHOOSE)
    if (path / "model_index.json").is_file():
        return _of_pipeline(path)
    if path.is_file():
        return _of_file(path)
    if path.is_dir() and library.is_embedding_model(path):
        return _of_other(path, "embedding model", check_encoder(path))
    if path.is_dir() and library.is_describer(path):
        return _of_other(path, "model that describes pictures", check_describer(path))
    if run := run_of(path):
        base = run[0].description().get("base")
        if isinstance(base, dict):
            return facts_of(str(base.get("name")), report)
        path = run[0].checkpoint_path(run[1])
    return _of_language_model(path)


def _of_pipeline(path: Path) -> ModelFacts:
    from engine.pipelines import drawing_dtype

    folder = check_pipeline(path)
    target = device.best_device()
    return ModelFacts(
        name=path.name,
        kind=IMAGE_MODEL,
        family=folder.class_name.removesuffix("Pipeline"),
        parameters=folder.parameters,
        on_disk=_size(folder.weights),
        needs=folder.parameters * drawing_dtype(target).itemsize,
        free=memory.free_on(target),
        licence=_licence(path),
    )


def may_be_model(path: Path) -> bool:
    """Whether it is meant as one, by its description or the end of its name."""
    if path.is_dir():
        return any((path / name).is_file() for name in DESCRIPTIONS) or run_of(path) is not None
    return path.suffix.lower() in SUFFIXES or path.suffix.lower() in PICKLE_SUFFIXES


def _of_file(path: Path) -> ModelFacts:
    """A GGUF, a LoRA, or a whole image model that is yet to become a folder."""
    start = _beginning(path)
    if start.startswith(b"GGUF"):
        return _of_gguf(path)
    if is_whole_image_model(path):
        with checkpoint_file.opened(path) as file:
            return of_checkpoint(checkpoint.look(file))
    parameters = check_safetensors(path)
    lora = check_lora(path)
    return ModelFacts(
        name=path.stem,
        kind="LoRA",
        family=lora.base or "unknown",
        parameters=parameters,
        on_disk=path.stat().st_size,
        needs=path.stat().st_size,
        free=memory.free_memory(),
        trigger_words=lora.trigger_words,
    )


def is_whole_image_model(path: Path) -> bool:
    """Whether the safetensors file is meant as one, known here or not; raises ModelError."""
    if _beginning(path).startswith(b"GGUF"):
        return False
    check_safetensors(path)
    shapes = {name: shape for name, shape, _ in described(path)}
    return is_checkpoint(shapes) or bool(other_family(shapes))


def of_checkpoint(found: Checkpoint) -> ModelFacts:
    """What was looked through, and what it becomes."""
    from engine.pipelines import drawing_dtype

    target = device.best_device()
    return ModelFacts(
        name=found.file.path.stem,
        kind="checkpoint",
        family=found.layout.told,
        parameters=found.parameters,
        on_disk=found.file.path.stat().st_size,
        needs=found.parameters * drawing_dtype(target).itemsize,
        free=memory.free_on(target),
        licence=found.licence,
        becomes=found.told(),
    )


def _beginning(path: Path) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read(8)
    except OSError as error:
        raise ModelError(f"{path} could not be read: {error.strerror}.", "") from error


def _of_gguf(path: Path) -> ModelFacts:
    header = read_header(path)
    return ModelFacts(
        name=path.stem,
        kind="language model",
        family=header.architecture,
        parameters=header.parameters,
        on_disk=path.stat().st_size,
        needs=llama_cpp.need(header),
        free=memory.free_memory(),
        context_length=header.context_length,
        licence=header.licence,
    )


def _of_language_model(path: Path) -> ModelFacts:
    folder = check_language_model(path)
    config = read_config(path / "config.json")
    target = device.best_device()
    context = config.get("max_position_embeddings") or config.get("n_positions")
    return ModelFacts(
        name=path.name,
        kind="language model",
        family=str(config.get("model_type") or "unknown"),
        parameters=folder.parameters,
        on_disk=_size(folder.weights),
        needs=transformers_folder.need_to_write(folder),
        free=memory.free_on(target),
        context_length=context if isinstance(context, int) else 0,
        licence=_licence(path),
    )


def _of_other(path: Path, kind: str, folder: TransformersFolder) -> ModelFacts:
    config = read_config(path / "config.json")
    return ModelFacts(
        name=path.name,
        kind=kind,
        family=str(config.get("model_type") or "unknown"),
        parameters=folder.parameters,
        on_disk=_size(folder.weights),
        needs=folder.parameters * 4 + transformers_folder.LIBRARIES,
        free=memory.free_memory(),
        licence=_licence(path),
    )


def _size(paths: Iterable[Path]) -> int:
    try:
        return sum(path.stat().st_size for path in paths)
    except OSError as error:
        raise ModelError(f"{error.filename} cannot be read: {error.strerror}.", "") from error


def _licence(path: Path) -> str:
    """As the model's card says it, in the lines before its text; most often one of SPDX."""
    try:
        card = (path / "README.md").read_bytes()[:MOST_OF_A_CARD].decode("utf-8", "replace")
    except OSError:
        return ""  # no card
    if not card.startswith("---\n"):
        return ""
    found = re.search(r"^license: *([\w.+-]+) *$", card.split("\n---", 1)[0], re.MULTILINE)
    return found[1] if found else ""
