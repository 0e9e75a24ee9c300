"""Real LoRAs with random weights for the tiny pipelines, as diffusers and as kohya save them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

TARGETS = ["to_q", "to_k", "to_v", "to_out.0"]


def open_plain(folder: Path, dtype: torch.dtype = torch.float32) -> Any:
    """The pipeline as plain diffusers opens it."""
    from diffusers import DiffusionPipeline

    index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    absent = {name: None for name, value in index.items() if value == [None, None]}
    return DiffusionPipeline.from_pretrained(folder, local_files_only=True, dtype=dtype, **absent)


def save_lora(pipeline: Path, path: Path, seed: int = 1, rank: int = 2) -> Path:
    """For the pipeline in that folder, in the format of diffusers."""
    pipe = open_plain(pipeline)
    part = "unet" if hasattr(pipe, "unet") else "transformer"
    path.parent.mkdir(parents=True, exist_ok=True)
    type(pipe).save_lora_weights(
        path.parent,
        **{f"{part}_lora_layers": _layers(getattr(pipe, part), seed, rank)},
        weight_name=path.name,
    )
    return path


def save_kohya_lora(pipeline: Path, path: Path, seed: int = 1, rank: int = 2) -> Path:
    """For a UNet, with the names that kohya's scripts give, and its maker's words."""
    pipe = open_plain(pipeline)
    tensors = {}
    for name, tensor in _layers(pipe.unet, seed, rank).items():
        layer, _, kind = name.partition(".lora_")
        module = "lora_unet_" + layer.replace(".", "_")
        end = "lora_down.weight" if kind.startswith("A") else "lora_up.weight"
        tensors[f"{module}.{end}"] = tensor.contiguous()
        tensors[f"{module}.alpha"] = torch.tensor(float(rank))
    path.parent.mkdir(parents=True, exist_ok=True)
    said = {"ss_base_model_version": "sd_v1", "modelspec.trigger_phrase": "inkwash, brush"}
    save_file(tensors, path, said)
    return path


def _layers(denoiser: Any, seed: int, rank: int) -> dict[str, torch.Tensor]:
    from peft import LoraConfig, get_peft_model_state_dict

    torch.manual_seed(seed)
    denoiser.add_adapter(
        LoraConfig(r=rank, lora_alpha=rank, target_modules=TARGETS, init_lora_weights=False)
    )
    return {name: 3 * tensor for name, tensor in get_peft_model_state_dict(denoiser).items()}
