"""Opens any language model of this machine for measuring and for learning: on transformers.

A name of the library, a model folder, a GGUF (converted once), or the folder of a training run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import library, packs
from engine.errors import InvalidTask, ModelError
from engine.events import Progress, Report
from engine.gate.gguf import read_header
from engine.gate.transformers_folder import TransformersFolder, check_language_model
from engine.language import conversion, loading, transformers_folder
from engine.task import Task

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Source:
    """A model that passed the gate, as a folder for transformers; nothing is loaded yet."""

    path: Path
    """What the person named."""
    folder: TransformersFolder
    sha256: dict[str, str]
    """Of each file of weights that the person named."""


@dataclass(frozen=True)
class Opened:
    """A model of transformers and its tokenizer; `facts` say which it is, for a record."""

    model: Any
    tokenizer: Any
    facts: dict[str, Any] = field(default_factory=dict)


def find(name: str, report: Report) -> Source:
    """The model called `name` or at that path, not a run; raises ModelError, OutOfMemory."""
    path = library.find(name)
    report(Progress(0, None, "checking the model"))
    if path.is_dir():
        folder = check_language_model(path)
    else:
        try:
            folder = check_language_model(conversion.converted(read_header(path), report))
        except InvalidTask as error:  # conversion speaks to those who asked for beams
            raise ModelError(
                f"transformers cannot read the architecture of {path.name}.",
                "Choose a model folder, or another GGUF.",
            ) from error
    return Source(path, folder, loading.hashes(path, report))


def open_source(source: Source, dtype: torch.dtype, report: Report) -> Opened:
    """A model of its own, which nobody else uses; raises ModelError, OutOfMemory."""
    from engine.libraries import importing

    with importing():
        model, tokenizer = transformers_folder.open_folder(source.folder, dtype, report)
    return Opened(model, tokenizer, {"model_file": source.path.name, "sha256": source.sha256})


def check_pack(task: Task) -> None:
    """Raises ModelError when the starter pack that `task` asks for has not been fetched."""
    pack = packs.needed_by(task)
    if pack is not None:
        raise packs.missing(pack)
