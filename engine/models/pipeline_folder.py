"""Puts a trained text-to-image model together as a Stable Diffusion 3 pipeline of diffusers."""

from __future__ import annotations

import torch
from diffusers import (
    AutoencoderTiny,
    FlowMatchEulerDiscreteScheduler,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
)
from torch import Tensor
from transformers import CLIPTextModelWithProjection, CLIPTokenizer

from engine.models.flow_transformer import (
    SHIFT,
    FlowConfig,
    FlowTransformer,
    text_encoder_config,
    transformer_shape,
)

STAND_IN_WIDTH = 8  # of the second text encoder, which the pipeline insists on
TEXT_INPUTS = ("context_embedder.weight", "time_text_embed.text_embedder.linear_1.weight")


def build_pipeline(
    model: FlowTransformer, tokenizer: CLIPTokenizer, autoencoder: AutoencoderTiny
) -> StableDiffusion3Pipeline:
    """The pipeline, in half precision for storage.

    The pipeline joins what two text encoders say; the second here is a stand-in, to whose
    features the transformer gives no weight.
    """
    config = model.config
    transformer = SD3Transformer2DModel(
        **transformer_shape(config, config.text_width + STAND_IN_WIDTH)
    ).eval()
    transformer.load_state_dict(_widened(model.transformer.state_dict()))
    pipeline = StableDiffusion3Pipeline(
        transformer=transformer,
        scheduler=FlowMatchEulerDiscreteScheduler(shift=SHIFT),
        vae=autoencoder.eval(),
        text_encoder=model.text_encoder.eval(),
        tokenizer=tokenizer,
        text_encoder_2=_stand_in(config),
        tokenizer_2=tokenizer,
        text_encoder_3=None,
        tokenizer_3=None,
    )
    return pipeline.to(torch.float16)


def _widened(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Room, with weight zero, for the features of the stand-in."""
    room = {
        name: torch.cat(
            (weights[name], weights[name].new_zeros(len(weights[name]), STAND_IN_WIDTH)), dim=1
        )
        for name in TEXT_INPUTS
    }
    return weights | room


def _stand_in(config: FlowConfig) -> CLIPTextModelWithProjection:
    """All weights zero, so that the same run always gives the same files."""
    encoder = CLIPTextModelWithProjection(text_encoder_config(config, STAND_IN_WIDTH)).eval()
    for parameter in encoder.parameters():
        torch.nn.init.zeros_(parameter)
    return encoder
