"""LoRA (Hu et al. 2021, 2106.09685) through peft: small weights beside those of a model."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class LoraSettings:
    """Its size and strength; `base` is where its model lies."""

    r: int
    alpha: int
    dropout: float
    base: str


def attach(model: Any, settings: LoraSettings) -> Any:
    """`model` with a new LoRA beside all its linear layers but the last; only that will learn."""
    from peft import LoraConfig
    from transformers.pytorch_utils import Conv1D

    turned = any(isinstance(module, Conv1D) for module in model.modules())  # as GPT-2's
    return _attached(
        model,
        LoraConfig(
            task_type="CAUSAL_LM",
            base_model_name_or_path=settings.base,
            r=settings.r,
            lora_alpha=settings.alpha,
            lora_dropout=settings.dropout,
            target_modules="all-linear",
            fan_in_fan_out=turned,
        ),
    )


def attach_again(model: Any, adapter_config: str) -> Any:
    """`model` with a LoRA as an adapter_config.json describes it; its weights come later."""
    from peft import LoraConfig

    known = LoraConfig.__dataclass_fields__
    settings = {name: value for name, value in json.loads(adapter_config).items() if name in known}
    return _attached(model, LoraConfig(**settings | {"inference_mode": False}))


def merged(model: Any) -> Any:
    """The model alone, with what the LoRA changes added to its weights."""
    with _quiet():
        return model.merge_and_unload()


def _attached(model: Any, config: Any) -> Any:
    from peft import get_peft_model

    with _quiet():
        return get_peft_model(model, config)


@contextmanager
def _quiet() -> Iterator[None]:
    """Within, peft may use names that transformers is about to give up."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield
