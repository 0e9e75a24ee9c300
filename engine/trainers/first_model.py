"""What a text-to-image training begins with: fresh weights, or a model that learns on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import library
from engine.errors import InvalidTask

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import CLIPTokenizer

    from engine.models.flow_transformer import FlowTransformer
    from engine.trainers.caption_lessons import CaptionLessons
    from engine.trainers.train_text_to_image import TrainTextToImage

MAX_TOKENS = 16  # of a caption


def unlearned(
    task: TrainTextToImage, latents: Tensor, lessons: CaptionLessons
) -> tuple[FlowTransformer, CLIPTokenizer]:
    """For latents (N, C, H, W), with a vocabulary of its own."""
    from engine.models import caption_tokenizer, flow_transformer

    config = flow_transformer.FlowConfig(
        latent_size=latents.shape[-1],
        latent_channels=latents.shape[1],
        vocab_size=task.vocab_size,
        width=task.width,
        text_width=task.text_width,
        num_layers=task.num_layers,
        text_layers=task.text_layers,
        max_tokens=MAX_TOKENS,
    )
    tokenizer = caption_tokenizer.train_tokenizer(lessons.texts(), task.vocab_size, MAX_TOKENS)
    return flow_transformer.FlowTransformer(config), tokenizer


def known(task: TrainTextToImage) -> tuple[FlowTransformer, CLIPTokenizer]:
    """The task's base model; raises ModelError, and InvalidTask where it draws another size."""
    from engine.models.pipeline_folder import read_pipeline
    from engine.models.tiny_autoencoder import REDUCTION

    model, tokenizer = read_pipeline(library.find(task.base_model))
    size = model.config.latent_size * REDUCTION
    if size != task.image_size:
        raise InvalidTask(
            "image_size", f"{task.base_model} draws {size} pixels.", f"Choose {size}."
        )
    return model, tokenizer
