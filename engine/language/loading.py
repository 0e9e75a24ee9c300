"""Opens a language model on the runtime that can do what is asked of it."""

from __future__ import annotations

from pathlib import Path

from engine.events import Report
from engine.gate.gguf import read_header
from engine.gate.transformers_folder import check_language_model
from engine.language import conversion, llama_cpp, transformers_folder
from engine.language.identity import sha256
from engine.language.model import LanguageModel
from engine.trained_language_models import run_of


def load(path: Path, needs_transformers: bool, report: Report) -> LanguageModel:
    """The model at `path`: a folder on transformers, a GGUF on llama.cpp unless it cannot do it; a
    checkpoint of a training with its best weights.

    `needs_transformers`: the task asks for beams or forbids repeated n-grams. Raises EngineError.
    """
    if found := run_of(path):
        from engine.language import trained  # which itself opens the model below a LoRA

        return trained.load(*found, report)
    if path.is_dir():
        return transformers_folder.load(path, report)
    header = read_header(path)
    if needs_transformers:
        return transformers_folder.load(conversion.converted(header, report), report)
    return llama_cpp.load(header, report)


def hashes(path: Path, report: Report) -> dict[str, str]:
    """SHA-256 of each file of weights by its name, for the record of a text."""
    if found := run_of(path):
        from engine.language import trained

        return trained.hashes(*found, report)
    weights = check_language_model(path).weights if path.is_dir() else (path,)
    return {file.name: sha256(file, report) for file in weights}
