"""The settings of the CLIPs of a Stable Diffusion, read from the names and shapes of tensors.

Two kinds of names are about: those of transformers, and those of OpenCLIP, which are others.
"""

from __future__ import annotations

from typing import Any

from engine.single_file.unet_shapes import HEAD, Shapes, Unlike, shape_of

WORDS = 49408
"""Of CLIP's vocabulary, which is the one that is bundled."""
OPEN_CLIP_LAYERS = 23
"""Of OpenCLIP's 24 that Stable Diffusion 2 listens to; it leaves the last one out."""
BIG_G = 1280
"""The width of the summary that Stable Diffusion XL reads of a text."""
MOST_LAYERS = 128


def config(shapes: Shapes, *, whole: bool) -> dict[str, Any] | None:
    """As transformers writes it; None where there is no text encoder. Raises Unlike.

    `whole`: all layers of an OpenCLIP and what sums its text up, as XL needs it.
    """
    if "embeddings.token_embedding.weight" in shapes:
        return _clip(shapes)
    if "token_embedding.weight" in shapes:
        return _open_clip(shapes, whole)
    return None


def _clip(shapes: Shapes) -> dict[str, Any]:
    layer = "encoder.layers.{}.mlp.fc1.weight"
    settings = _settings(shapes, "embeddings.token_embedding.weight", layer)
    places = shape_of(shapes, "embeddings.position_embedding.weight", 2)[0]
    return settings | {
        "architectures": ["CLIPTextModel"],
        "hidden_act": "quick_gelu",
        "max_position_embeddings": places,
        "projection_dim": settings["hidden_size"],
    }


def _open_clip(shapes: Shapes, whole: bool) -> dict[str, Any]:
    layer = "transformer.resblocks.{}.mlp.c_fc.weight"
    settings = _settings(shapes, "token_embedding.weight", layer)
    places = shape_of(shapes, "positional_embedding", 2)[0]
    settings |= {"hidden_act": "gelu", "max_position_embeddings": places}
    if whole:
        projection = shape_of(shapes, "text_projection", 2)[1]
        architecture = "CLIPTextModelWithProjection"
        return settings | {"architectures": [architecture], "projection_dim": projection}
    layers = min(settings["num_hidden_layers"], OPEN_CLIP_LAYERS)
    architecture, projection = "CLIPTextModel", settings["hidden_size"] // 2
    settings |= {"architectures": [architecture], "num_hidden_layers": layers}
    return settings | {"projection_dim": projection}


def _settings(shapes: Shapes, words: str, layer: str) -> dict[str, Any]:
    known, width = shape_of(shapes, words, 2)
    if known != WORDS:
        raise Unlike(f"its text encoder knows {known} words, and CLIP {WORDS}")
    if width % HEAD:
        raise Unlike(f"its text encoder is {width} wide, which is no multiple of {HEAD}")
    layers = next(
        (number for number in range(MOST_LAYERS) if layer.format(number) not in shapes), MOST_LAYERS
    )
    return {
        "model_type": "clip_text_model",
        "vocab_size": known,
        "hidden_size": width,
        "intermediate_size": shape_of(shapes, layer.format(0), 2)[0],
        "num_hidden_layers": layers,
        "num_attention_heads": width // HEAD,
        "layer_norm_eps": 1e-05,
        "attention_dropout": 0.0,
        "bos_token_id": 0,
        "eos_token_id": 2,  # as published: CLIP is summed up at its highest token
        "pad_token_id": 1,
    }
