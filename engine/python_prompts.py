"""The lines of a copied program that weigh words of the prompt, as engine/prompts/embedding.py."""

from __future__ import annotations

from typing import Any

from engine.gate.model_folder import PipelineFolder
from engine.metadata import TaskRecord
from engine.prompts.weights import Piece, is_weighted, parse, plain_text

_WEIGHTED = """

def weighted(states, pieces):
    weights = [weight for text, weight in pieces for _ in text]
    text = "".join(text for text, weight in pieces)
    spans = pipe.tokenizer(text, truncation=True, return_offsets_mapping=True)["offset_mapping"]
    # What follows the text holds its meaning: where all words are weakened, it is with them.
    heaviest = max((weights[start] for start, end in spans if start < end), default=1.0)
    marks = [weights[start] if start < end else min(1.0, heaviest) for start, end in spans]
    marks += [min(1.0, heaviest)] * (pipe.tokenizer.model_max_length - len(marks))
    marks[0] = 1.0
    factors = torch.ones(states.shape[1], 1, dtype=states.dtype, device=states.device)
    factors[: len(marks), 0] = torch.tensor(marks, dtype=states.dtype)
    return torch.lerp(empty, states, factors.expand_as(states))


names = ("prompt_embeds", "negative_prompt_embeds")
names += ("pooled_prompt_embeds", "negative_pooled_prompt_embeds")
with torch.no_grad():
    settings = dict(device=pipe.device, num_images_per_prompt=1, do_classifier_free_guidance=True)
    states = dict(zip(names, pipe.encode_prompt(**settings{given})))
    empty = pipe.encode_prompt(**settings{nothing})[0]
{lines}
"""


def words(record: TaskRecord) -> dict[str, Any]:
    """The prompts as the pipeline takes them, without their weights."""
    told = {"prompt": str(record.values["prompt"])}
    if record.values.get("negative_prompt"):
        told["negative_prompt"] = str(record.values["negative_prompt"])
    return {name: plain_text(parse(text)) for name, text in told.items()}


def weighing(record: TaskRecord, pipeline: PipelineFolder, options: dict[str, Any]) -> str:
    """The lines that make `states`, the arguments instead of the prompts; none without weights."""
    pieces = {name: parse(str(record.values.get(name, ""))) for name in _STATES}
    weighed = {name: read for name, read in pieces.items() if is_weighted(read)}
    tokenizers = [c for c in pipeline.components if c.name in ("tokenizer", "tokenizer_2")]
    if not weighed or not tokenizers or any("CLIP" not in c.class_name for c in tokenizers):
        return ""
    told = words(record)
    lines = [
        f"    states[{state!r}] = weighted(states[{state!r}], {_pairs(weighed[name])})"
        for name, state in _STATES.items()
        if name in weighed
    ]
    return _WEIGHTED.format(
        given=_given(told["prompt"], told.get("negative_prompt"), pipeline, options),
        nothing=_given("", "", pipeline, options),
        lines="\n".join(lines),
    )


_STATES = {"prompt": "prompt_embeds", "negative_prompt": "negative_prompt_embeds"}


def _given(
    prompt: str, negative: str | None, pipeline: PipelineFolder, options: dict[str, Any]
) -> str:
    """The arguments of encode_prompt; each of several text encoders reads the same."""
    parts = {component.name for component in pipeline.components} | set(pipeline.absent)
    values = {"prompt": prompt, "negative_prompt": negative, **options}
    for end in ("_2", "_3"):
        if "text_encoder" + end in parts:
            values["prompt" + end] = prompt
    return "".join(f", {name}={value!r}" for name, value in values.items())


def _pairs(pieces: list[Piece]) -> list[tuple[str, float]]:
    return [(piece.text, piece.weight) for piece in pieces if piece.text]
