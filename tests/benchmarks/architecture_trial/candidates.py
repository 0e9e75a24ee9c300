"""The four candidates: each predicts the velocity from picture to noise, from noise and words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from diffusers import SD3Transformer2DModel, UNet2DConditionModel
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from engine.models.flow_transformer import (
    HEAD_SIZE,
    FlowConfig,
    FlowTransformer,
    transformer_shape,
)

PIXEL_PATCH = 8
SPACE_TO_DEPTH = 4  # 64×64 pixels as 16×16 places of 48 numbers
LEAST_SIGMA = 0.05  # what a velocity is divided by; Li and He 2025, 2511.13720
PIPELINE_PADDING = 256.0  # empty tokens that the pipeline appends


@dataclass(frozen=True)
class Shape:
    """What a candidate sees: pictures (channels, size, size), captions (tokens, text_width).

    `width` is that of the networks: of a token, or of a UNet's deepest features.
    """

    channels: int
    size: int
    tokens: int
    text_width: int
    width: int = 256
    num_layers: int = 6


@dataclass(frozen=True)
class Candidate:
    """`latent`: sees an autoencoder's latents, else pixels. `build` makes fresh weights."""

    name: str
    title: str
    latent: bool
    learning_rate: float
    build: Callable[[Shape], nn.Module]


class UNet(nn.Module):
    """A UNet of two levels with cross-attention, after `fold`-fold space-to-depth."""

    def __init__(self, shape: Shape, fold: int, predicts_clean: bool) -> None:
        super().__init__()
        self.fold = fold
        self.predicts_clean = predicts_clean
        channels = shape.channels * fold**2
        self.unet = UNet2DConditionModel(
            sample_size=shape.size // fold,
            in_channels=channels,
            out_channels=channels,
            block_out_channels=(shape.width // 2, shape.width),
            layers_per_block=1,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            norm_num_groups=min(32, shape.width // 4),
            cross_attention_dim=shape.text_width,
            attention_head_dim=shape.width // HEAD_SIZE,  # diffusers' name for how many heads
            class_embed_type="projection",
            projection_class_embeddings_input_dim=shape.text_width,
        )

    def forward(self, noisy: Tensor, sigmas: Tensor, states: Tensor, pooled: Tensor) -> Tensor:
        folded = F.pixel_unshuffle(noisy, self.fold)
        predicted = self.unet(
            folded, sigmas * 1000, states, class_labels=pooled, return_dict=False
        )[0]  # fmt: skip
        whole = F.pixel_shuffle(predicted, self.fold)
        return _velocity(noisy, whole, sigmas) if self.predicts_clean else whole


class PatchTransformer(nn.Module):
    """SD3's transformer on patches of pixels, predicting the clean picture."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.transformer = SD3Transformer2DModel(
            **_sd3_shape(shape)
            | {"patch_size": PIXEL_PATCH, "pos_embed_max_size": shape.size // PIXEL_PATCH}
        )

    def forward(self, noisy: Tensor, sigmas: Tensor, states: Tensor, pooled: Tensor) -> Tensor:
        clean = self.transformer(noisy, states, pooled, sigmas * 1000, return_dict=False)[0]
        return _velocity(noisy, clean, sigmas)


class LatentTransformer(nn.Module):
    """The studio's own, as its trainer trains it: with more or fewer empty tokens."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.model = FlowTransformer(_flow_config(shape))
        del self.model.text_encoder  # that of the run is used, for every candidate

    def forward(self, noisy: Tensor, sigmas: Tensor, states: Tensor, pooled: Tensor) -> Tensor:
        padding = torch.zeros(len(noisy))
        if self.training:
            many = PIPELINE_PADDING ** torch.rand(len(noisy))
            kind = torch.rand(len(noisy))
            padding = many.where(kind > 0.4, PIPELINE_PADDING).where(kind < 0.6, 0.0)
        velocity: Tensor = self.model(noisy, sigmas, (states, pooled), padding)
        return velocity


def _velocity(noisy: Tensor, clean: Tensor, sigmas: Tensor) -> Tensor:
    return (noisy - clean) / sigmas.clamp(min=LEAST_SIGMA).view(-1, 1, 1, 1)


def _flow_config(shape: Shape) -> FlowConfig:
    return FlowConfig(
        latent_size=shape.size,
        latent_channels=shape.channels,
        vocab_size=2,  # of a text encoder that is not used
        width=shape.width,
        text_width=shape.text_width,
        num_layers=shape.num_layers,
        max_tokens=shape.tokens,
    )


def _sd3_shape(shape: Shape) -> dict[str, int | str]:
    return transformer_shape(_flow_config(shape), shape.text_width)


CANDIDATES = (
    Candidate(
        "pixel-unet",
        "UNet on pixels, predicts the clean picture",
        False,
        1e-3,
        partial(UNet, fold=SPACE_TO_DEPTH, predicts_clean=True),
    ),
    Candidate(
        "pixel-transformer",
        "transformer on patches of pixels, predicts the clean picture",
        False,
        1.5e-3,
        PatchTransformer,
    ),
    Candidate(
        "latent-transformer",
        "transformer on latents, predicts the velocity",
        True,
        1.5e-3,
        LatentTransformer,
    ),
    Candidate(
        "latent-unet",
        "UNet on latents, predicts the velocity",
        True,
        1e-3,
        partial(UNet, fold=1, predicts_clean=False),
    ),
)
