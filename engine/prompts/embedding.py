"""The arguments by which a pipeline is told what to draw and what not, weights included.

A weighted word keeps the direction in which it moves the text away from an empty one, and goes
further along it, or less far: ComfyUI's and compel's reading of A1111's syntax. The weights act on
the states of CLIP's tokens; the pooled vector and T5 read the words without them. The marks after
the text hold its meaning as a whole: where all its words are weakened, they are with them.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from engine.errors import InvalidTask
from engine.pipelines import LoadedPipeline
from engine.prompts.weights import Piece, is_weighted, parse, plain_text

if TYPE_CHECKING:
    import torch


def prompt_arguments(model: LoadedPipeline, prompt: str, negative_prompt: str) -> dict[str, Any]:
    """What this pipeline takes for these prompts; the names are diffusers' own."""
    pieces, negative = parse(prompt), parse(negative_prompt)
    wanted = {"prompt": plain_text(pieces)}
    if negative_prompt:  # pipelines differ in what stands for none
        wanted["negative_prompt"] = plain_text(negative)
    if (is_weighted(pieces) or is_weighted(negative)) and can_weigh(model):
        return _weighted(model, wanted, pieces, negative)
    taken = model.call_parameters()
    return {name: text for name, text in wanted.items() if name in taken}


def prompt_states(
    model: LoadedPipeline, prompt: str, negative_prompt: str
) -> dict[str, torch.Tensor]:
    """Both prompts as numbers, which this pipeline takes instead of words: the same picture.

    Raises InvalidTask for a model that reads more than the states of CLIP's tokens.
    """
    if not can_weigh(model):
        raise InvalidTask(
            "model",
            f"What {model.name} reads of a prompt cannot be mixed with what it reads of another.",
            "Choose a model of the Stable Diffusion 1, 2, XL or 3 kind, or the embedded one.",
        )
    pieces, negative = parse(prompt), parse(negative_prompt)
    wanted = {"prompt": plain_text(pieces)}
    if negative_prompt:
        wanted["negative_prompt"] = plain_text(negative)
    return _weighted(model, wanted, pieces, negative)


def prompt_notices(model: LoadedPipeline, prompt: str, negative_prompt: str) -> Iterator[str]:
    """What of the two the model will not see."""
    for field, text in (("prompt", prompt), ("negative prompt", negative_prompt)):
        pieces = parse(text)
        if is_weighted(pieces) and not can_weigh(model):
            yield (
                f"The text encoder of {model.name} takes no weights; "
                f"those of the {field} were left out."
            )
        cut = model.unread_part(plain_text(pieces))
        if cut:
            yield f"The {field} is longer than {model.name} can read. It did not see: “{cut}”"


def can_weigh(model: LoadedPipeline) -> bool:
    """Whether the model reads the states of CLIP's tokens (Flux and PixArt read only T5's)."""
    tokenizers = _tokenizers(model)
    return (
        bool(tokenizers)
        and all("CLIP" in type(tokenizer).__name__ for tokenizer in tokenizers)
        and "prompt_embeds" in model.call_parameters()
        and hasattr(model.pipe, "encode_prompt")
    )


def token_weights(model: LoadedPipeline, pieces: list[Piece]) -> list[float]:
    """One weight for each token in the window of the model's CLIP, start and end included."""
    tokenizer = _tokenizers(model)[0]
    weights = [piece.weight for piece in pieces for _ in piece.text]  # one a character
    window = tokenizer.model_max_length
    encoded = tokenizer(plain_text(pieces), truncation=True, return_offsets_mapping=True)
    spans = encoded["offset_mapping"]  # empty for the marks at the start and the end of the text
    heaviest = max((weights[start] for start, end in spans if start < end), default=1.0)
    end_weight = min(1.0, heaviest)
    told = [weights[start] if start < end else end_weight for start, end in spans]
    return [1.0, *told[1:], *[end_weight] * (window - len(told))]


def _tokenizers(model: LoadedPipeline) -> list[Any]:
    parts = (getattr(model.pipe, name, None) for name in ("tokenizer", "tokenizer_2"))
    return [tokenizer for tokenizer in parts if tokenizer is not None]


def _weighted(
    model: LoadedPipeline, prompts: dict[str, str], pieces: list[Piece], negative: list[Piece]
) -> dict[str, Any]:
    import torch

    with torch.no_grad():
        states = _encoded(model, prompts)
        empty = _encoded(model, {"prompt": "", "negative_prompt": ""})["prompt_embeds"]
        for name, read in (("prompt_embeds", pieces), ("negative_prompt_embeds", negative)):
            if is_weighted(read):
                states[name] = _scaled(states[name], empty, token_weights(model, read))
    return states


def _scaled(states: torch.Tensor, empty: torch.Tensor, weights: list[float]) -> torch.Tensor:
    """`states` and `empty` are 1×N×C; N is the window of CLIP, and T5's behind it if there is."""
    import torch

    factors = torch.ones(states.shape[1], 1, dtype=states.dtype, device=states.device)
    factors[: len(weights), 0] = torch.tensor(weights, dtype=states.dtype)
    return torch.lerp(empty, states, factors.expand_as(states))


def _encoded(model: LoadedPipeline, prompts: dict[str, str]) -> dict[str, torch.Tensor]:
    """The pipeline's own reading of both prompts, as the arguments it takes instead of them."""
    takes = inspect.signature(model.pipe.encode_prompt).parameters
    given: dict[str, Any] = {
        **dict.fromkeys(("prompt", "prompt_2", "prompt_3"), prompts["prompt"]),
        "negative_prompt": prompts.get("negative_prompt"),
        "device": model.pipe._execution_device,
        "num_images_per_prompt": 1,
        "do_classifier_free_guidance": True,
        **model.text_length(),
    }
    encoded = model.pipe.encode_prompt(**{key: given[key] for key in given if key in takes})
    names = ("prompt_embeds", "negative_prompt_embeds")
    pooled = ("pooled_prompt_embeds", "negative_pooled_prompt_embeds")
    return dict(zip((*names, *pooled), encoded, strict=False))
