"""The parts that a checkpoint goes without, taken from a folder of diffusers of the same family."""

from __future__ import annotations

from pathlib import Path

from engine.errors import ModelError
from engine.gate.model_folder import Component, check_pipeline, read_config
from engine.single_file.layout import SDXL, Layout

BETWEEN_SCALES = 0.15
"""The scale of the VAE of an XL lies below, those before it above."""


def other_parts(layout: Layout, folder: Path) -> tuple[Component, ...]:
    """Those of `folder` that the checkpoint lacks and that suit it; raises ModelError."""
    checked = check_pipeline(folder)
    found = tuple(part for part in checked.components if part.name in layout.missing)
    for part in found:
        config = read_config(folder / part.name / "config.json")
        if reason := _unsuited(layout, part, config):
            raise ModelError(
                f"{folder} does not fit: its {part.name.replace('_', ' ')} {reason}.",
                f"Choose a folder of a {layout.family}.",
            )
    widths = [
        _width(read_config(folder / part.name / "config.json"))
        for part in found
        if part.name.startswith("text_encoder")
    ]
    widths += [
        int(part.config["hidden_size"])
        for part in layout.parts
        if part.name.startswith("text_encoder")
    ]
    needed = layout.part("unet").config["cross_attention_dim"]
    if not layout.missing_after(tuple(part.name for part in found)) and sum(widths) != needed:
        raise ModelError(
            f"{folder} does not fit: its texts are {sum(widths)} wide, and {needed} are needed.",
            f"Choose a folder of a {layout.family}.",
        )
    return found


def _unsuited(layout: Layout, part: Component, config: dict[str, object]) -> str:
    if part.name == "vae":
        latents = layout.part("unet").config["out_channels"]
        scale = config.get("scaling_factor")
        if part.class_name != "AutoencoderKL" or config.get("latent_channels") != latents:
            return "is of another kind"
        xl = isinstance(scale, float) and scale < BETWEEN_SCALES
        return "" if xl == (layout.family == SDXL) else "belongs to another family"
    wanted = "CLIPTextModelWithProjection" if part.name == "text_encoder_2" else "CLIPTextModel"
    return "" if part.class_name == wanted else "is of another kind"


def _width(config: dict[str, object]) -> int:
    width = config.get("hidden_size")
    return width if isinstance(width, int) else 0
