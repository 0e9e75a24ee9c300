"""Stable Diffusions with the settings of the published ones, whole or made small by as little as
they can be: with all of CLIP's words, heads of 64 and norms of 32 groups."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from engine.single_file.clip_vocabulary import END, tokenizer_files

CROSS, PLAIN = "CrossAttn", ""

SD1_UNET = {"block_out_channels": (320, 640, 1280, 1280), "attention_head_dim": 8}
SD1_UNET |= {"cross_attention_dim": 768, "layers_per_block": 2}
SD2_UNET = SD1_UNET | {"attention_head_dim": (5, 10, 20, 20), "cross_attention_dim": 1024}
SD2_UNET |= {"use_linear_projection": True}
XL_UNET: dict[str, Any] = {
    "block_out_channels": (320, 640, 1280),
    "attention_head_dim": (5, 10, 20),
    "transformer_layers_per_block": (1, 2, 10),
    "cross_attention_dim": 2048,
    "layers_per_block": 2,
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}
SMALL_UNET: dict[str, dict[str, Any]] = {
    "sd1": {"block_out_channels": (32, 64), "cross_attention_dim": 64, "layers_per_block": 1},
    "sd2": {
        "block_out_channels": (64, 128),
        "attention_head_dim": (1, 2),
        "cross_attention_dim": 64,
        "layers_per_block": 1,
    },
    "sdxl": {
        "block_out_channels": (64, 128),
        "attention_head_dim": (1, 2),
        "transformer_layers_per_block": (1, 2),
        "cross_attention_dim": 128,
        "layers_per_block": 1,
        "addition_time_embed_dim": 8,
        "projection_class_embeddings_input_dim": 6 * 8 + 64,
    },
}
UNETS = {"sd1": SD1_UNET, "sd2": SD2_UNET, "sdxl": XL_UNET}
CLIP_L = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12}
CLIP_L |= {"num_attention_heads": 12, "projection_dim": 768}
CLIP_H = {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 23}
CLIP_H |= {"num_attention_heads": 16, "projection_dim": 512}
CLIP_G = {"hidden_size": 1280, "intermediate_size": 5120, "num_hidden_layers": 32}
CLIP_G |= {"num_attention_heads": 20, "projection_dim": 1280}
SMALL_CLIP = {"hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 2}
SMALL_CLIP |= {"num_attention_heads": 1, "projection_dim": 64}


def pipeline(family: str, *, small: bool, tokenizers: Path | None = None, **options: Any) -> Any:
    """Of `sd1`, `sd2` or `sdxl`, with random weights; `options` go to its UNet.

    `tokenizers` is a folder to build them in; without it the pipeline has none.
    """
    import diffusers

    torch.manual_seed(0)
    xl = family == "sdxl"
    parts: dict[str, Any] = {
        "unet": _unet(family, small, options),
        "vae": _vae(xl, small),
        "text_encoder": _text_encoder(family, small),
        "tokenizer": _tokenizer(tokenizers, "tokenizer", END if family != "sd2" else "!"),
        "scheduler": _scheduler(family),
    }
    if xl:
        parts["text_encoder_2"] = _clip(CLIP_G, small, "gelu", projected=True)
        parts["tokenizer_2"] = _tokenizer(tokenizers, "tokenizer_2", "!")
        return diffusers.StableDiffusionXLPipeline(**parts, add_watermarker=False)
    absent = {"safety_checker": None, "feature_extractor": None}
    return diffusers.StableDiffusionPipeline(**parts, **absent, requires_safety_checker=False)


def _unet(family: str, small: bool, options: dict[str, Any]) -> Any:
    from diffusers import UNet2DConditionModel

    settings = UNETS[family] | (SMALL_UNET[family] if small else {}) | options
    levels = len(settings["block_out_channels"])
    heard = [CROSS] * levels
    heard[0 if family == "sdxl" else -1] = PLAIN
    return UNet2DConditionModel(
        sample_size=64,
        down_block_types=[f"{kind}DownBlock2D" for kind in heard],
        up_block_types=[f"{kind}UpBlock2D" for kind in reversed(heard)],
        **settings,
    )


def _vae(xl: bool, small: bool) -> Any:
    from diffusers import AutoencoderKL

    channels = (32, 32) if small else (128, 256, 512, 512)
    return AutoencoderKL(
        block_out_channels=channels,
        down_block_types=("DownEncoderBlock2D",) * len(channels),
        up_block_types=("UpDecoderBlock2D",) * len(channels),
        layers_per_block=1 if small else 2,
        latent_channels=4,
        scaling_factor=0.13025 if xl else 0.18215,
    )


def _text_encoder(family: str, small: bool) -> Any:
    if family != "sd2":
        return _clip(CLIP_L, small, "quick_gelu")
    more = {"num_hidden_layers": 23}  # as many are left where the last is dropped
    return _clip(CLIP_H, small, "gelu", more=more)


def _clip(
    settings: dict[str, int],
    small: bool,
    activation: str,
    *,
    projected: bool = False,
    more: dict[str, int] | None = None,
) -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    chosen = (SMALL_CLIP if small else settings) | (more or {})
    marks = {"bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 1}
    config = CLIPTextConfig(vocab_size=49408, hidden_act=activation, **chosen, **marks)
    return (CLIPTextModelWithProjection if projected else CLIPTextModel)(config)


def _tokenizer(room: Path | None, name: str, pad: str) -> Any:
    from transformers import CLIPTokenizer

    if room is None:
        return None
    (room / name).mkdir(parents=True)
    for file_name, data in tokenizer_files(pad=pad).items():
        (room / name / file_name).write_bytes(data)
    return CLIPTokenizer.from_pretrained(room / name, local_files_only=True)


def _scheduler(family: str) -> Any:
    from diffusers import DDIMScheduler, EulerDiscreteScheduler, PNDMScheduler

    noise = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
    noise["steps_offset"] = 1
    if family == "sdxl":
        with torch.device("cpu"):  # it moves its numbers there, also where there are none
            return EulerDiscreteScheduler(**noise, timestep_spacing="leading")
    if family == "sd2":
        return DDIMScheduler(**noise, set_alpha_to_one=False, clip_sample=False)
    return PNDMScheduler(**noise, skip_prk_steps=True, set_alpha_to_one=False)
