"""What a checkpoint of a language model holds, so that it is a model folder, or a LoRA of peft's.

A whole model: model.safetensors, config.json and its tokenizer's files. A LoRA:
adapter_model.safetensors, adapter_config.json and the tokenizer's files.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import files

if TYPE_CHECKING:
    from torch import Tensor

ENTRIES = WHOLE, ADAPTER = "model", "adapter_model"
BEST = "best"
"""The entry with the weights that had the least loss on the held-out text."""
ADAPTER_CONFIG = "adapter_config.json"


def entry_of(model: Any) -> str:
    """The entry of a checkpoint that holds the weights that are learned."""
    return ADAPTER if hasattr(model, "peft_config") else WHOLE


def weights(model: Any) -> dict[str, Tensor]:
    """The weights that are learned, by the names that transformers or peft look for."""
    if entry_of(model) == ADAPTER:
        from peft import get_peft_model_state_dict

        adapter: dict[str, Tensor] = get_peft_model_state_dict(model)
        return adapter
    found: dict[int, tuple[str, Tensor]] = {}
    for name, tensor in model.state_dict().items():
        found.setdefault(tensor.data_ptr(), (name, tensor))  # a tied head is stored once
    return dict(found.values())


def load_weights(model: Any, tensors: Mapping[str, Tensor]) -> None:
    """Take back what `weights` returned; raises RuntimeError when it does not fit."""
    if entry_of(model) == ADAPTER:
        from peft import set_peft_model_state_dict

        result: Any = set_peft_model_state_dict(model, dict(tensors))
    else:
        result = model.load_state_dict(tensors, strict=False)
    wrong, missing = result.unexpected_keys, set(weights(model)) - set(tensors)
    if wrong or missing:
        raise RuntimeError(f"these weights do not fit the model: {sorted({*wrong, *missing})[:3]}")


def texts(model: Any, tokenizer: Any) -> dict[str, str]:
    """The files beside the weights, by name."""
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder)
        if entry_of(model) == ADAPTER:
            model.peft_config["default"].save_pretrained(folder)
        else:
            model.config.save_pretrained(folder)
        found = {path.name: path.read_text("utf-8") for path in _texts_in(Path(folder))}
    if ADAPTER_CONFIG in found:
        found[ADAPTER_CONFIG] = _in_order(found[ADAPTER_CONFIG])
    return found


def _texts_in(folder: Path) -> list[Path]:
    """All but what a slow tokenizer keeps beside its tokenizer.json."""
    return sorted(p for p in folder.iterdir() if p.suffix in (".json", ".jinja", ".txt"))


def _in_order(text: str) -> str:
    """peft writes a set as a list, each time in another order."""
    config = json.loads(text)
    if isinstance(config.get("target_modules"), list):
        config["target_modules"].sort()
    return files.json_bytes(config).decode()
