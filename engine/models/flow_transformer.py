"""A small text-to-image model: a multimodal diffusion transformer with its own text encoder.

The transformer is Stable Diffusion 3's (Esser et al. 2024, 2403.03206), trained by flow matching.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from diffusers import SD3Transformer2DModel
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from transformers import CLIPTextConfig, CLIPTextModelWithProjection

from engine.distributed import share, whole_like
from engine.models.padded_attention import PaddedJointAttention

HEAD_SIZE = 64
PATCH_SIZE = 2
NOISE_SPREAD = 1.1
SHIFT = 2.5  # of the noise levels when drawing: more steps where it is decided what to draw
START_TOKEN, END_TOKEN = 0, 1


@dataclass(frozen=True)
class FlowConfig:
    """The model's shape; `latent_size` is the latents' height and width, not the pictures'."""

    latent_size: int
    latent_channels: int
    vocab_size: int
    width: int = 256
    text_width: int = 256
    num_layers: int = 6
    text_layers: int = 2
    max_tokens: int = 16

    def __post_init__(self) -> None:
        """Raises ValueError for what cannot be built."""
        if self.width % HEAD_SIZE or self.text_width % HEAD_SIZE or self.latent_size % PATCH_SIZE:
            raise ValueError(
                f"widths {self.width} and {self.text_width} must be multiples of {HEAD_SIZE}, "
                f"latent size {self.latent_size} of {PATCH_SIZE}"
            )


class FlowTransformer(nn.Module):
    """Predicts the velocity from picture to noise, given noisy latents and a caption's tokens."""

    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        self.config = config
        self.transformer = SD3Transformer2DModel(**transformer_shape(config, config.text_width))
        self.padding = PaddedJointAttention()
        self.transformer.set_attn_processor(self.padding)
        self.text_encoder = CLIPTextModelWithProjection(text_encoder_config(config))

    def encode(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Token ids (N, T) → states (N, T, text_width) and pooled (N, text_width).

        The layer before the last, as Stable Diffusion 3's pipeline reads its text encoders.
        """
        encoded = self.text_encoder(input_ids=ids, output_hidden_states=True)
        return encoded.hidden_states[-2], encoded.text_embeds

    def forward(
        self, latents: Tensor, sigmas: Tensor, text: tuple[Tensor, Tensor], padding: Tensor
    ) -> Tensor:
        """Velocity (N, C, H, W) of `latents` (N, C, H, W) at noise levels `sigmas` (N,) in 0…1.

        `padding` (N,) is how many empty tokens the pipeline appends to the caption.
        """
        states, pooled = text
        self.padding.counts = padding
        # One empty token stands for all: they are equal, so only their number matters.
        empty = states.new_zeros(states.shape[0], 1, states.shape[2])
        velocity: Tensor = self.transformer(
            latents,
            encoder_hidden_states=torch.cat((states, empty), dim=1),
            pooled_projections=pooled,
            timestep=sigmas * 1000,
            return_dict=False,
        )[0]
        return velocity


def transformer_shape(config: FlowConfig, text_width: int) -> dict[str, int | str]:
    """The arguments of SD3Transformer2DModel for captions encoded `text_width` wide."""
    return {
        "sample_size": config.latent_size,
        "patch_size": PATCH_SIZE,
        "in_channels": config.latent_channels,
        "out_channels": config.latent_channels,
        "num_layers": config.num_layers,
        "attention_head_dim": HEAD_SIZE,
        "num_attention_heads": config.width // HEAD_SIZE,
        "joint_attention_dim": text_width,
        "pooled_projection_dim": text_width,
        "caption_projection_dim": config.width,
        "pos_embed_max_size": config.latent_size,
        "qk_norm": "rms_norm",
    }


def text_encoder_config(config: FlowConfig, width: int = 0) -> CLIPTextConfig:
    """The text encoder's shape; another `width` makes a stand-in of a single layer."""
    size = width or config.text_width
    return CLIPTextConfig(
        vocab_size=config.vocab_size,
        hidden_size=size,
        intermediate_size=size if width else 4 * size,
        projection_dim=size,
        num_hidden_layers=1 if width else config.text_layers,
        num_attention_heads=1 if width else size // HEAD_SIZE,
        max_position_embeddings=config.max_tokens,
        bos_token_id=START_TOKEN,
        eos_token_id=END_TOKEN,
        pad_token_id=END_TOKEN,
        hidden_act="gelu",
    )


def flow_matching_loss(
    model: FlowTransformer,
    latents: Tensor,
    text: tuple[Tensor, Tensor],
    padding: Tensor,
    noise_mean: float,
) -> Tensor:
    """Mean squared error of the velocity on the straight path from `latents` to fresh noise.

    Noise levels are logit-normal around `noise_mean`, as in Esser et al. 2024, 2403.03206, 3.1.
    """
    whole = whole_like(latents)
    chance = share(torch.randn(len(whole), device=latents.device))
    sigmas = (NOISE_SPREAD * chance + noise_mean).sigmoid()
    noise = share(torch.randn_like(whole))
    level = sigmas.view(-1, 1, 1, 1)
    noisy = (1 - level) * latents + level * noise
    velocity = model(noisy, sigmas, text, padding)
    return F.mse_loss(velocity.float(), noise - latents)


@torch.no_grad()
def draw_latents(
    model: FlowTransformer,
    noise: Tensor,
    ids: Tensor,
    empty_ids: Tensor,
    num_inference_steps: int,
    guidance_scale: float,
) -> Tensor:
    """Latents (N, C, H, W) for the captions `ids`, by Euler steps with classifier-free guidance."""
    count = len(noise)
    text = model.encode(torch.cat((empty_ids.expand(count, -1), ids)))
    none = torch.zeros(2 * count, device=noise.device)
    even = torch.linspace(1, 0, num_inference_steps + 1, device=noise.device)
    levels = SHIFT * even / (1 + (SHIFT - 1) * even)
    latents = noise
    for now, after in pairwise(levels):
        velocity = model(latents.repeat(2, 1, 1, 1), now.expand(2 * count), text, none)
        unconditional, conditional = velocity.chunk(2)
        guided = unconditional + guidance_scale * (conditional - unconditional)
        latents = latents + (after - now) * guided
    return latents
