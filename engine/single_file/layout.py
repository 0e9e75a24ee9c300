"""What a checkpoint in one file is: the family, and the parts that lie in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from engine.errors import ModelError
from engine.single_file import text_shapes, unet_shapes, vae_shapes
from engine.single_file.unet_shapes import Shapes

UNET = "model.diffusion_model."
VAES = ("first_stage_model.", "vae.")
SD1_TEXT = ("cond_stage_model.transformer.text_model.", "cond_stage_model.transformer.")
SD2_TEXT = ("cond_stage_model.model.",)
SDXL_TEXT = ("conditioner.embedders.0.transformer.text_model.",)
SDXL_TEXT_2 = ("conditioner.embedders.1.model.",)
REFINER_TEXT = "conditioner.embedders.0.model."

SD1, SD2, SDXL = "Stable Diffusion 1", "Stable Diffusion 2", "Stable Diffusion XL"
ELSEWHERE = "Get this model as a folder of diffusers, with its model_index.json."

IN_WORDS = {"unet": "UNet", "vae": "VAE", "text_encoder": "text encoder"}
IN_WORDS |= {"text_encoder_2": "second text encoder"}

# Others in one file that are known, by what only they hold.
_OTHERS = (
    ("joint_blocks.0.context_block.adaLN_modulation.1.bias", "Stable Diffusion 3"),
    ("double_stream_modulation_img.lin.weight", "Flux 2"),
    ("distilled_guidance_layer.in_proj.bias", "Chroma"),
    ("double_blocks.0.img_attn.norm.key_norm.scale", "Flux"),
    ("double_layers.0.attn.w2q.weight", "AuraFlow"),
    ("cap_embedder.0.weight", "Lumina 2 or Z-Image"),
    ("clip_txt_mapper.weight", "Stable Cascade"),
    ("head.modulation", "Wan"),
    ("txt_in.text_norm.weight", "Qwen-Image"),
)
_CHANNELS = {
    5: "is shown the depth of a picture (depth2img)",
    7: "enlarges pictures (x4 upscaler)",
    8: "follows instructions on pictures (InstructPix2Pix)",
}
_EDM = ("edm_mean", "edm_vpred.sigma_max")


@dataclass(frozen=True)
class Part:
    """One part of the pipeline that the file becomes."""

    name: str
    library: str
    class_name: str
    config: dict[str, Any]
    prefix: str
    """How the names of its tensors begin in the file."""

    @property
    def in_words(self) -> str:
        return IN_WORDS[self.name]


@dataclass(frozen=True)
class Layout:
    """What a checkpoint is."""

    family: str
    inpainting: bool
    parts: tuple[Part, ...]
    missing: tuple[str, ...] = field(default=())
    """The parts that the file goes without, and a pipeline does not."""

    @property
    def pipeline(self) -> str:
        """The class of diffusers that draws with it."""
        xl = "XL" if self.family == SDXL else ""
        return f"StableDiffusion{xl}{'Inpaint' if self.inpainting else ''}Pipeline"

    @property
    def told(self) -> str:
        """The family in words."""
        return f"{self.family} for inpainting" if self.inpainting else self.family

    def missing_after(self, others: tuple[str, ...]) -> list[str]:
        """What is still missing where those parts come from elsewhere."""
        return [name for name in self.missing if name not in others]

    def part(self, name: str) -> Part:
        return next(part for part in self.parts if part.name == name)


def is_checkpoint(names: Mapping[str, Any]) -> bool:
    """Whether these are names of a whole image model in one file, known here or not."""
    begins = (UNET, "first_stage_model.", "cond_stage_model.", "encoder.down.0.block.0.")
    return any(name.startswith(begins) for name in names)


def recognise(shapes: Shapes, path: Path) -> Layout:
    """What the checkpoint with these tensors is; raises ModelError that says what else it is."""
    unet = _below(shapes, UNET)
    _refuse_others(shapes, unet, path)
    try:
        return _recognised(shapes, unet, path)
    except unet_shapes.Unlike as error:
        raise ModelError(
            f"{path} is built unlike any Stable Diffusion known here: {error}.", ELSEWHERE
        ) from error


def with_vae(layout: Layout, shapes: Shapes, path: Path) -> Layout:
    """The layout with the VAE of the file with these tensors; raises ModelError."""
    first = "encoder.down.0.block.0.conv1.weight"
    prefix = next((prefix for prefix in ("", *VAES) if prefix + first in shapes), None)
    if prefix is None:
        raise ModelError(
            f"{path} holds no VAE of Stable Diffusion in one file.",
            "Choose another, or leave it empty for the one that comes with the model.",
        )
    try:
        part = _vae(shapes, prefix, layout.family)
    except unet_shapes.Unlike as error:
        raise ModelError(
            f"The VAE in {path} is built unlike any known here: {error}.", ""
        ) from error
    latents = layout.part("unet").config["out_channels"]
    if part.config["latent_channels"] != latents:
        raise ModelError(
            f"The VAE in {path} makes {part.config['latent_channels']} channels, and the model "
            f"draws {latents}.",
            "Choose a VAE of its family.",
        )
    others = tuple(each for each in layout.parts if each.name != "vae")
    missing = tuple(name for name in layout.missing if name != "vae")
    return replace(layout, parts=(*others, part), missing=missing)


def _vae(shapes: Shapes, prefix: str, family: str) -> Part:
    config = vae_shapes.config(_below(shapes, prefix), xl=family == SDXL)
    return Part("vae", "diffusers", "AutoencoderKL", config, prefix)


def other_family(shapes: Shapes) -> str:
    """What a file is that is known, but not read here; empty where it is unknown."""
    for key, name in _OTHERS:
        if key in shapes or UNET + key in shapes:
            return name
    return ""


def _recognised(shapes: Shapes, unet: Shapes, path: Path) -> Layout:
    family = _family(unet)
    config = unet_shapes.config(unet, many_heads=family != SD1)
    latents = config["out_channels"]
    seen = config["in_channels"]
    if seen not in (latents, 2 * latents + 1):
        does = _CHANNELS.get(seen, f"is shown {seen} channels")
        raise ModelError(f"{path} holds a {family} that {does}; that is not used here.", "")
    texts = _texts(shapes, family)
    if family == SDXL:
        second = next((part for part in texts if part.name == "text_encoder_2"), None)
        width = second.config["projection_dim"] if second else text_shapes.BIG_G
        config |= unet_shapes.told_sizes(unet, width)
    parts = [Part("unet", "diffusers", "UNet2DConditionModel", config, UNET), *texts]
    prefix = next((p for p in VAES if f"{p}decoder.conv_in.weight" in shapes), None)
    if prefix:
        parts.append(_vae(shapes, prefix, family))
    needed = ["vae", "text_encoder", *(["text_encoder_2"] if family == SDXL else [])]
    there = {part.name for part in parts}
    missing = tuple(name for name in needed if name not in there)
    return Layout(family, seen != latents, tuple(parts), missing)


def _family(unet: Shapes) -> str:
    """By how its UNet hears the text: XL is told sizes too, 2 projects by matrices, 1 by kernels.

    Raises Unlike.
    """
    if "label_emb.0.0.weight" in unet:
        return SDXL
    kernel = next((s for name, s in unet.items() if name.endswith(".1.proj_in.weight")), None)
    if kernel is None:
        raise unet_shapes.Unlike("nothing in it listens to a text")
    return SD1 if len(kernel) == 4 else SD2


def _texts(shapes: Shapes, family: str) -> list[Part]:
    found = []
    wanted = {
        SD1: (("text_encoder", SD1_TEXT),),
        SD2: (("text_encoder", SD2_TEXT),),
        SDXL: (("text_encoder", SDXL_TEXT), ("text_encoder_2", SDXL_TEXT_2)),
    }
    for name, prefixes in wanted[family]:
        for prefix in prefixes:
            config = text_shapes.config(_below(shapes, prefix), whole=name == "text_encoder_2")
            if config is not None:
                class_name = config["architectures"][0]
                found.append(Part(name, "transformers", class_name, config, prefix))
                break
    return found


def _refuse_others(shapes: Shapes, unet: Shapes, path: Path) -> None:
    if other := other_family(shapes):
        raise ModelError(
            f"{path} is {other} in one file, which lacks what its text encoders need.", ELSEWHERE
        )
    if any(name.startswith("control_model.") for name in shapes):
        raise ModelError(f"{path} holds a ControlNet, which is not used here.", "")
    if not unet and _is_vae(shapes):
        raise ModelError(
            f"{path} is a VAE alone: it draws nothing without a model.",
            "Add the checkpoint that it belongs to, and choose this file under “VAE”.",
        )
    if not unet:
        raise ModelError(
            f"{path} holds no UNet: it is no whole model.",
            "Choose the checkpoint itself, or a folder of diffusers.",
        )
    if f"{REFINER_TEXT}ln_final.weight" in shapes:
        raise ModelError(
            f"{path} is a refiner of Stable Diffusion XL: it only reworks the pictures of "
            "another model.",
            "Choose the base model.",
        )
    if any(key in shapes for key in _EDM):
        raise ModelError(
            f"{path} is a Stable Diffusion XL that learned with noise of another kind (EDM), "
            "which is not read from one file here.",
            ELSEWHERE,
        )


def _is_vae(shapes: Shapes) -> bool:
    """Whether it holds a VAE and nothing else that draws."""
    texts = any(name.startswith(("cond_stage_model.", "conditioner.")) for name in shapes)
    first = "encoder.down.0.block.0.conv1.weight"
    return not texts and any(prefix + first in shapes for prefix in ("", *VAES))


def _below(shapes: Shapes, prefix: str) -> dict[str, tuple[int, ...]]:
    return {
        name.removeprefix(prefix): shape
        for name, shape in shapes.items()
        if name.startswith(prefix)
    }
