"""The tensors of a checkpoint by the names that diffusers and transformers give them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from engine.errors import ModelError
from engine.gate.weights import FETCH_AGAIN
from engine.single_file.layout import ELSEWHERE, SD2_TEXT, Part

if TYPE_CHECKING:
    from torch import Tensor

TEXT = "text_model."
OPEN_CLIP = ("cond_stage_model.model.", "conditioner.embedders.1.model.")

_UNUSED = re.compile(r"(^|\.)(position_ids|logit_scale|attn_mask)$|^loss\.|^model_ema\.")
"""Tensors of a part that no folder keeps: they follow from others, or serve training only."""

# What the conversion meets in files that are not what they seem.
_NOT_ITS_OWN = (KeyError, IndexError, AttributeError, TypeError, ValueError, RuntimeError)


def names_of(part: Part, names: Mapping[str, Any]) -> list[str]:
    """The tensors of the file that make up the part."""
    below = {name: name.removeprefix(part.prefix) for name in names if name.startswith(part.prefix)}
    return [name for name, short in below.items() if not _is_left_out(part, short)]


def converted(part: Part, tensors: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    """The part's tensors under their new names; raises ModelError for those that do not fit."""
    try:
        found = _renamed(part, dict(tensors))
        expected = _expected(part)
    except _NOT_ITS_OWN as error:
        raise _unlike(part, path, str(error)) from error
    _check(part, found, expected, path)
    before = sum(tensor.numel() for tensor in tensors.values())
    after = sum(tensor.numel() for tensor in found.values())
    if before != after:
        raise _unlike(part, path, f"{abs(before - after):,} numbers have no place in it")
    return found


def _is_left_out(part: Part, name: str) -> bool:
    if _UNUSED.search(name):
        return True
    if part.prefix not in SD2_TEXT:
        return False
    # Stable Diffusion 2 listens to its text encoder before the last layer
    layer = re.match(r"transformer\.resblocks\.(\d+)\.", name)
    later = layer is not None and int(layer[1]) >= part.config["num_hidden_layers"]
    return later or name == "text_projection"


def _renamed(part: Part, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    from diffusers.loaders import single_file_utils as library

    if part.name == "unet":
        return dict(library.convert_ldm_unet_checkpoint(tensors, part.config))
    if part.name == "vae":
        return dict(library.convert_ldm_vae_checkpoint(tensors, part.config))
    if part.prefix in OPEN_CLIP:
        model = SimpleNamespace(config=SimpleNamespace(hidden_size=part.config["hidden_size"]))
        return dict(library.convert_open_clip_checkpoint(model, tensors, prefix=part.prefix))
    return {TEXT + name.removeprefix(part.prefix): tensor for name, tensor in tensors.items()}


def _expected(part: Part) -> dict[str, tuple[int, ...]]:
    """The shapes of the tensors of a model with the part's settings; nothing of it is made."""
    import diffusers
    import torch
    import transformers

    with torch.device("meta"):
        if part.library == "diffusers":
            model_class = getattr(diffusers, part.class_name)
            model = model_class.from_config(part.config)
        else:
            settings = transformers.CLIPTextConfig(**part.config)
            model = getattr(transformers, part.class_name)(settings)
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


def _check(
    part: Part, found: dict[str, Tensor], expected: dict[str, tuple[int, ...]], path: Path
) -> None:
    # transformers calls the inside of a text encoder now `text_model`, now nothing
    shapes = {name.removeprefix(TEXT): tuple(tensor.shape) for name, tensor in found.items()}
    wanted = {name.removeprefix(TEXT): shape for name, shape in expected.items()}
    if missing := sorted(wanted.keys() - shapes.keys()):
        raise ModelError(
            f"{path} is incomplete: {len(missing)} of the {len(wanted)} tensors of its "
            f"{part.in_words} are missing, such as {missing[0]}.",
            FETCH_AGAIN,
        )
    if further := sorted(shapes.keys() - wanted.keys()):
        raise _unlike(part, path, f"there is no place in it for {further[0]}")
    for name, shape in shapes.items():
        if shape != wanted[name]:
            raise _unlike(part, path, f"{name} is {shape} and not {wanted[name]}")
    if not all(tensor.is_floating_point() for tensor in found.values()):
        raise _unlike(part, path, "its numbers are packed in a way that is not read here")


def _unlike(part: Part, path: Path, reason: str) -> ModelError:
    return ModelError(
        f"The {part.in_words} in {path} is built unlike any known here: {reason[:200]}.", ELSEWHERE
    )
