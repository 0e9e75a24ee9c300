"""How a PixelUnet learns and draws: flow matching or DDPM, with the schedulers of diffusers.

flow_matching (Lipman et al. 2023, 2210.02747; rectified flow, 2209.03003): on the straight line
x_t = (1 - t)·image + t·noise the UNet predicts the velocity noise - image; Euler steps go back.
ddpm (Ho et al. 2020, 2006.11239): the UNet predicts the noise in √ᾱ_t·image + √(1 - ᾱ_t)·noise
at one of 1000 timesteps; DDIM (Song et al. 2021, 2010.02502) goes back in few of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from diffusers import DDIMScheduler, FlowMatchEulerDiscreteScheduler
from torch import Tensor

from engine.models.pixel_unet import PixelUnet

TIMESTEPS = 1000


def scheduler(objective: str) -> Any:
    """A fresh one that draws with what was learned by `objective`, in any number of steps."""
    if objective == "flow_matching":
        return FlowMatchEulerDiscreteScheduler(num_train_timesteps=TIMESTEPS)
    # From the last timestep on ("trailing"): with few steps the others begin where there still is
    # some image (Lin et al. 2024, 2305.08891).
    return DDIMScheduler(
        num_train_timesteps=TIMESTEPS, clip_sample=True, timestep_spacing="trailing"
    )


@cache
def _alphas_cumprod() -> Tensor:
    return scheduler("ddpm").alphas_cumprod


def drawn_times(chance: Tensor, objective: str) -> Tensor:
    """From uniform numbers (N,) the timesteps (N,) to learn at; for ddpm whole numbers 0…999.

    Flow matching learns most in the middle (logit-normal times: Esser et al. 2024, 2403.03206).
    """
    if objective == "ddpm":
        return (chance * TIMESTEPS).floor().clamp(max=TIMESTEPS - 1)
    return torch.special.ndtri(chance.clamp(1e-6, 1 - 1e-6)).sigmoid() * TIMESTEPS


def noisy(
    images: Tensor, noise: Tensor, timesteps: Tensor, objective: str
) -> tuple[Tensor, Tensor]:
    """(x_t, what the UNet should predict there), both (N, C, H, W)."""
    if objective == "flow_matching":
        t = (timesteps / TIMESTEPS)[:, None, None, None]
        return (1 - t) * images + t * noise, noise - images
    alphas = _alphas_cumprod().to(images.device)[timesteps.long()][:, None, None, None]
    return alphas.sqrt() * images + (1 - alphas).sqrt() * noise, noise


def loss(
    unet: PixelUnet, images: Tensor, noise: Tensor, timesteps: Tensor, classes: Tensor | None
) -> Tensor:
    """The mean squared error of the prediction, a scalar."""
    x, target = noisy(images, noise, timesteps, unet.config.objective)
    return (unet(x, timesteps, classes).float() - target).square().mean()


def draw(
    unet: PixelUnet,
    noise: Tensor,
    classes: Tensor | None,
    num_inference_steps: int,
    guidance_scale: float,
    so_far: Callable[[int, Tensor], None] = lambda step, images: None,
) -> Tensor:
    """Images (N, C, H, W) in [-1, 1] from noise of that shape, without any more chance.

    `so_far(step, images)` sees after each step what the images would be if it were the last.
    """
    steps = scheduler(unet.config.objective)
    _set_steps(steps, num_inference_steps, noise.device)
    x = noise
    for number, timestep in enumerate(steps.timesteps):
        predicted = unet.guided(x, timestep, classes, guidance_scale).float()
        done = steps.step(predicted, timestep, x)
        so_far(number + 1, _clean(done, predicted, x, timestep))
        x = done.prev_sample
    return x.clamp(-1, 1)


def _set_steps(steps: Any, count: int, device: torch.device) -> None:
    """`count` steps of one length; flow matching's own default would waste the last one."""
    if isinstance(steps, FlowMatchEulerDiscreteScheduler):
        steps.set_timesteps(sigmas=[1 - index / count for index in range(count)], device=device)
    else:
        steps.set_timesteps(count, device=device)


def _clean(done: Any, predicted: Tensor, x: Tensor, timestep: Tensor) -> Tensor:
    """The image that the prediction at x leads to in a single step."""
    own: Tensor | None = getattr(done, "pred_original_sample", None)
    return x - timestep / TIMESTEPS * predicted if own is None else own
