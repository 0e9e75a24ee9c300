"""Texts that a model under training continues from fixed prompts: the sample of a step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

NEW_TOKENS = 160
BEGINNINGS = 3
"""Texts of a sample when it begins by itself."""
BETWEEN = "\n\n* * *\n\n"
TEMPERATURE, TOP_K = 0.8, 50


def sample_texts(
    model: Any, tokenizer: Any, prompts: Sequence[str], seed: int, context: int
) -> str:
    """Each prompt with what the model continues it by; from nothing, if there are no prompts.

    The same weights and seed give the same texts. The model's mode and torch's default generators
    are left as they were. `context` is the most tokens that the model reads.
    """
    import torch

    learning = model.training
    model.eval()
    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    try:
        with torch.inference_mode(), torch.random.fork_rng(devices):
            texts = [
                _continued(model, tokenizer, prompt, seed + number, context)
                for number, prompt in enumerate(prompts or [""] * BEGINNINGS)
            ]
    finally:
        model.train(learning)
    return BETWEEN.join(text.strip("\n") for text in texts) + "\n"


def _continued(model: Any, tokenizer: Any, prompt: str, seed: int, context: int) -> str:
    import torch
    from transformers import GenerationConfig

    ids = tokenizer(prompt)["input_ids"] if prompt else []
    begin = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else _end(tokenizer)
    ids = (ids or [begin])[-max(1, context - 8) :]  # of a prompt that is too long, its end
    torch.manual_seed(seed % 2**32)
    rows = torch.tensor([ids], device=next(model.parameters()).device)
    output = model.generate(
        input_ids=rows,
        attention_mask=torch.ones_like(rows),
        generation_config=GenerationConfig(
            max_new_tokens=max(1, min(NEW_TOKENS, context - len(ids))),
            do_sample=True,
            temperature=TEMPERATURE,
            top_k=TOP_K,
            eos_token_id=_end(tokenizer),
            pad_token_id=_end(tokenizer),
        ),
    )
    text: str = tokenizer.decode(
        output[0], skip_special_tokens=True, clean_up_tokenization_spaces=False
    )
    return text


def _end(tokenizer: Any) -> int:
    return int(tokenizer.eos_token_id if tokenizer.eos_token_id is not None else 0)
