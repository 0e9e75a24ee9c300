"""How the kinds of diffusion models learn: what they read of a prompt, and their loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.errors import InvalidTask

if TYPE_CHECKING:
    from torch import Tensor

    from engine.pipelines import LoadedPipeline

Words = Mapping[str, "Tensor"]
"""What a denoiser takes besides latents and time, one row a caption."""


@dataclass(frozen=True)
class Family:
    """One kind of diffusion models."""

    part: str
    """The denoiser's name in the pipeline, as in the keys of LoRA files."""
    read: Callable[[LoadedPipeline, Sequence[str]], Words]
    loss: Callable[[LoadedPipeline, Tensor, Words], Tensor]
    """Of latents (N, C, H, W) with a row of words for each; draws noise and times from torch's
    own generator."""


def family_of(model: LoadedPipeline) -> Family:
    """Raises InvalidTask for a kind that cannot learn a LoRA here."""
    name = type(model.pipe).__name__
    for beginning, family in FAMILIES.items():
        if name.startswith(beginning):
            return family
    raise InvalidTask(
        "base_model",
        f"No LoRA can be trained here for a {name.removesuffix('Pipeline')} such as {model.name}.",
        "Choose a Stable Diffusion 1, 2, XL or 3, such as the embedded stickers.",
    )


def _read_clip(model: LoadedPipeline, captions: Sequence[str]) -> Words:
    pipe = model.pipe
    embeds, _ = pipe.encode_prompt(list(captions), pipe.device, 1, False)
    return {"encoder_hidden_states": embeds}


def _read_two_clips(model: LoadedPipeline, captions: Sequence[str]) -> Words:
    pipe = model.pipe
    embeds, _, pooled, _ = pipe.encode_prompt(
        list(captions), device=pipe.device, do_classifier_free_guidance=False
    )
    return {"encoder_hidden_states": embeds, "text_embeds": pooled}


def _read_sd3(model: LoadedPipeline, captions: Sequence[str]) -> Words:
    pipe, told = model.pipe, list(captions)
    embeds, _, pooled, _ = pipe.encode_prompt(
        told, None, None, do_classifier_free_guidance=False, **model.text_length()
    )
    return {"encoder_hidden_states": embeds, "pooled_projections": pooled}


def _noise_loss(model: LoadedPipeline, latents: Tensor, words: Words) -> Tensor:
    """Mean squared error of what the model predicts at random times (Ho et al., 2006.11239)."""
    import torch
    from diffusers import DDPMScheduler
    from torch.nn import functional

    scheduler = DDPMScheduler.from_config(model.own_scheduler.config)
    times = torch.randint(0, scheduler.config.num_train_timesteps, (len(latents),))
    noise = torch.randn(latents.shape).to(latents)
    noisy = scheduler.add_noise(latents, noise, times.to(latents.device))
    predicted = model.pipe.unet(
        noisy, times.to(latents.device), **_for_unet(words, latents, model)
    ).sample
    kind = scheduler.config.prediction_type
    wanted = {"epsilon": noise, "sample": latents}.get(kind)
    if wanted is None:
        wanted = scheduler.get_velocity(latents, noise, times.to(latents.device))
    return functional.mse_loss(predicted.float(), wanted.float())


def _for_unet(words: Words, latents: Tensor, model: LoadedPipeline) -> dict[str, Any]:
    if "text_embeds" not in words:
        return dict(words)
    import torch

    # XL is told the size of the original, its cut and the size that is wanted: all of it.
    height, width = (side * model.latent_square() for side in latents.shape[2:])
    ids = torch.tensor([[height, width, 0, 0, height, width]]).repeat(len(latents), 1)
    added = {"text_embeds": words["text_embeds"], "time_ids": ids.to(latents)}
    return {
        "encoder_hidden_states": words["encoder_hidden_states"],
        "added_cond_kwargs": added,
    }


def _flow_loss(model: LoadedPipeline, latents: Tensor, words: Words) -> Tensor:
    """Rectified flow at times of a logit-normal (Esser et al., 2403.03206), shifted as when it
    draws."""
    import torch
    from torch.nn import functional

    config = model.own_scheduler.config
    shift = float(config.shift)
    sigmas = torch.randn(len(latents)).sigmoid()
    sigmas = (shift * sigmas / (1 + (shift - 1) * sigmas)).to(latents)
    noise = torch.randn(latents.shape).to(latents)
    part = sigmas.view(-1, 1, 1, 1)
    predicted = model.pipe.transformer(
        hidden_states=(1 - part) * latents + part * noise,
        timestep=sigmas * config.num_train_timesteps,
        **words,
    ).sample
    return functional.mse_loss(predicted.float(), (noise - latents).float())


FAMILIES = {
    "StableDiffusion3": Family("transformer", _read_sd3, _flow_loss),
    "StableDiffusionXL": Family("unet", _read_two_clips, _noise_loss),
    "StableDiffusionPipeline": Family("unet", _read_clip, _noise_loss),
}
"""By the beginning of the pipeline's class."""
