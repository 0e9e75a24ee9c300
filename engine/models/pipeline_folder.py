"""A trained text-to-image model as a Stable Diffusion 3 pipeline of diffusers, and back."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import (
    AutoencoderTiny,
    FlowMatchEulerDiscreteScheduler,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
)
from torch import Tensor
from transformers import CLIPTextModelWithProjection, CLIPTokenizer

from engine.errors import ModelError
from engine.gate.model_folder import check_pipeline
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


def read_pipeline(path: Path) -> tuple[FlowTransformer, CLIPTokenizer]:
    """What `build_pipeline` was given, in fp32, from the folder it was saved in; raises ModelError.

    The autoencoder is read by `autoencoder_source`.
    """
    check_pipeline(path)
    try:
        transformer = SD3Transformer2DModel.from_pretrained(
            str(path / "transformer"), local_files_only=True, use_safetensors=True
        ).float()
        text_encoder = CLIPTextModelWithProjection.from_pretrained(
            str(path / "text_encoder"), local_files_only=True, use_safetensors=True
        ).float()
        tokenizer = CLIPTokenizer.from_pretrained(str(path / "tokenizer"), local_files_only=True)
        model = FlowTransformer(_config_of(transformer, text_encoder))
        model.transformer.load_state_dict(_narrowed(transformer.state_dict()))
        model.text_encoder.load_state_dict(text_encoder.state_dict())
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"{path} is no text-to-image model that was trained here: {error}",
            "Choose one that export_text_to_image made, or begin from nothing.",
        ) from error
    return model, tokenizer


def _config_of(
    transformer: SD3Transformer2DModel, text_encoder: CLIPTextModelWithProjection
) -> FlowConfig:
    shape, text = transformer.config, text_encoder.config
    return FlowConfig(
        latent_size=shape.sample_size,
        latent_channels=shape.in_channels,
        vocab_size=text.vocab_size,
        width=shape.caption_projection_dim,
        text_width=text.hidden_size,
        num_layers=shape.num_layers,
        text_layers=text.num_hidden_layers,
        max_tokens=text.max_position_embeddings,
    )


def _narrowed(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Without the room that `_widened` made."""
    return weights | {name: weights[name][:, :-STAND_IN_WIDTH] for name in TEXT_INPUTS}
