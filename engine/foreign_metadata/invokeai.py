"""Reads what InvokeAI writes: `invokeai_metadata` since version 3, `sd-metadata` before."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from engine.foreign_metadata.found import Found, is_number, parse
from engine.foreign_metadata.samplers import take_sampler
from engine.prompts.weights import STEP

PROGRAM = "InvokeAI"

# The lists of what else had a part in the picture, and what a person calls one of them.
_LISTS = {
    "controlnets": "ControlNet",
    "ipAdapters": "IP-Adapter",
    "t2iAdapters": "T2I-Adapter",
    "control_layers": "control layers",
    "regions": "regional guidance",
    "ref_images": "reference image",
    "variations": "variations",
    "postprocessing": "postprocessing",
}
_SETTINGS = {
    "vae": "VAE",
    "clip_skip": "clip skip",
    "init_image": "image it began from",
    "strength": "strength",
    "hrf_enabled": "high resolution fix",
    "hires_fix": "high resolution fix",
    "seamless": "seamless tiling",
    "seamless_x": "seamless tiling",
    "seamless_y": "seamless tiling",
    "refiner_model": "refiner",
    "positive_style_prompt": "style prompt",
    "negative_style_prompt": "negative style prompt",
    "facetool": "face restoration",
    "upscale": "upscaling",
}
_FLOW = ("flux", "sd-3", "cogview4", "z-image")


def read(texts: Mapping[str, str]) -> Found | None:
    """Raises ValueError for what is not in the form InvokeAI writes."""
    for keyword in ("invokeai_metadata", "sd-metadata"):
        if keyword in texts:
            told = parse(texts[keyword])
            if not isinstance(told, dict):
                raise ValueError("they are not in the form InvokeAI writes")
            return _old(told) if keyword == "sd-metadata" else _new(told)
    return None


def _new(told: Mapping[str, Any]) -> Found:
    found = Found(PROGRAM)
    positive, negative = told.get("positive_prompt"), told.get("negative_prompt")
    found.take(
        prompt=weights_as_ours(positive) if isinstance(positive, str) else "",
        negative_prompt=weights_as_ours(negative) if isinstance(negative, str) else "",
    )
    model = told.get("model")
    base = str(_inside(model, "base", "base_model"))
    _take_numbers(found, told, guidance=told.get("guidance") if "flux" in base else None)
    found.take(model=_inside(model, "name", "model_name") or None)
    take_sampler(found, told.get("scheduler"), flow=base.startswith(_FLOW))
    _take_networks(found, told.get("loras"))
    _leave_others(found, told)
    return found


def _old(told: Mapping[str, Any]) -> Found:
    found = Found(PROGRAM)
    image = told.get("image")
    if not isinstance(image, dict):
        raise ValueError("they are not in the form InvokeAI writes")
    prompt = image.get("prompt")
    if isinstance(prompt, list):
        texts = [str(part.get("prompt", "")) for part in prompt if isinstance(part, dict)]
        prompt = " ".join(texts)
        if len(texts) > 1:
            found.leave("blend of several prompts")
    # Before version 3 what was not wanted stood in square brackets within the prompt.
    negative = ", ".join(re.findall(r"\[([^\[\]]*)\]", str(prompt)))
    positive = re.sub(r"\[[^\[\]]*\]", "", str(prompt)).strip()
    found.take(prompt=weights_as_ours(positive), negative_prompt=weights_as_ours(negative))
    _take_numbers(found, image)
    weights = told.get("model_weights")
    found.take(model=weights if isinstance(weights, str) else None)
    take_sampler(found, image.get("sampler"))
    _leave_others(found, image)
    return found


def weights_as_ours(prompt: str) -> str:
    """`(two words)1.2`, `(two words)++` and `word-` as `(two words:1.2)` and so on."""
    bracketed = re.sub(r"\(([^()]*)\)([\d.]+|[+-]+)", _weighted, prompt)
    return re.sub(r"(?<![\w(:])([^\W\d_]\w*)(\++|-+)(?=[\s,.)]|$)", _weighted, bracketed)


def _weighted(match: re.Match[str]) -> str:
    text, told = match[1], match[2]
    if told[0] in "+-":
        weight = STEP ** (len(told[:40]) * (1 if told[0] == "+" else -1))
        return f"({text}:{weight:.3g})"
    return f"({text}:{told})"


def _take_numbers(found: Found, told: Mapping[str, Any], guidance: Any = None) -> None:
    values = {
        "num_inference_steps": told.get("steps"),
        "guidance_scale": guidance if guidance is not None else told.get("cfg_scale"),
        "seed": told.get("seed"),
        "width": told.get("width"),
        "height": told.get("height"),
    }
    found.take(**{name: value for name, value in values.items() if is_number(value)})


def _take_networks(found: Found, networks: Any) -> None:
    for network in networks if isinstance(networks, list) else ():
        if isinstance(network, dict):
            model = network.get("model", network.get("lora"))
            found.take_network(_inside(model, "name", "model_name"), network.get("weight"))


def _leave_others(found: Found, told: Mapping[str, Any]) -> None:
    for key, name in _LISTS.items():
        value = told.get(key)
        if isinstance(value, (list, dict)) and value:
            found.leave(name)
    for key, name in _SETTINGS.items():
        value = told.get(key)
        if value not in (None, False, 0, "", [], {}):
            detail = _inside(value, "name", "model_name", "image_name")
            plain = value if isinstance(value, str) or is_number(value) else detail
            found.leave(f"{name} {plain}".strip())


def _inside(value: Any, *names: str) -> str:
    """The first of these that the object tells as text."""
    if isinstance(value, dict):
        return next((value[name] for name in names if isinstance(value.get(name), str)), "")
    return value if isinstance(value, str) else ""
