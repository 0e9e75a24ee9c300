"""The gate for LoRAs: safetensors by content, whole, and with pairs of low-rank layers in it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import ModelError
from engine.gate.weights import check_safetensors, metadata_of, names_of

LOW_RANK = re.compile(r"\.lora_(A|B|down|up)\b|\.lora\.(down|up)\.|_lora\.(down|up)\.|lora_linear")
OTHERS = re.compile(r"\.(hada_w1|lokr_w1|oft_|boft_)")


@dataclass(frozen=True)
class LoraFile:
    """A LoRA that passed the gate."""

    path: Path
    parameters: int
    base: str = ""
    """The model it was made with, as its maker says."""
    trigger_words: tuple[str, ...] = field(default=())


def check_lora(path: Path) -> LoraFile:
    """The LoRA in the file `path`; raises ModelError that says what it is instead."""
    if path.is_dir():
        raise ModelError(f"{path} is a folder.", "Choose the .safetensors file of a LoRA.")
    parameters = check_safetensors(path)
    names = names_of(path)
    if not any(LOW_RANK.search(name) for name in names):
        other = any(OTHERS.search(name) for name in names)
        kind = "a LoHa, LoKr or OFT, which cannot be used here" if other else "no LoRA"
        raise ModelError(f"{path} is {kind}.", "Choose a LoRA in safetensors.")
    return LoraFile(path, parameters, *_said(metadata_of(path)))


def _said(metadata: dict[str, str]) -> tuple[str, tuple[str, ...]]:
    """Base model and trigger words, where the file's own metadata names them."""
    base = metadata.get("ss_base_model_version") or metadata.get("modelspec.architecture") or ""
    words = metadata.get("modelspec.trigger_phrase") or ""
    return base[:100], tuple(word.strip()[:100] for word in words.split(",") if word.strip())[:20]
