"""Folders of causal language models on transformers: greedy, sampled and beam search."""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import cache, device, memory
from engine.errors import InvalidTask, ModelError
from engine.events import Progress, Report
from engine.gate.transformers_folder import TransformersFolder, check_language_model
from engine.gate.weights import tensors
from engine.language.chat import Chat
from engine.language.generation_progress import NEIGHBOURS, GenerationProgress
from engine.language.model import PromptTooLong, Request, Written, check_room

if TYPE_CHECKING:
    import torch

SMALLER = "Close other programs, or choose a smaller model (a GGUF needs least)."

UNREADABLE = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RuntimeError,
    ImportError,
)
"""What transformers raises for a folder whose files do not fit together."""

LIBRARIES = 150_000_000
"""Bytes that transformers itself takes, beside torch."""

UNBOUNDED = 1_000_000
"""Context of a model whose configuration names none."""


def load(path: Path, report: Report) -> TransformersModel:
    """The model in the folder, kept warm from one text to the next; raises EngineError."""
    report(Progress(0, None, "checking the model"))
    folder = check_language_model(path)
    report(Progress(0, None, "loading the model"))

    def load_it() -> TransformersModel:
        from engine.models import half_weights

        narrow = narrow_dtype(folder)
        memory.require(need_to_write(folder), f"{folder.path.name} needs", SMALLER)
        dtype = narrow or device.best_dtype(device.best_device())
        model, tokenizer = open_folder(folder, dtype, report)
        if narrow is not None:
            half_weights.pack(model)
        return TransformersModel(path.name, model, tokenizer)

    key = ("transformers", path, folder.fingerprint)
    return cache.loaded(key, load_it, need_to_write(folder))


def narrow_dtype(folder: TransformersFolder) -> torch.dtype | None:
    """The 16 bits in which all weights are stored, where they can stay so on this CPU."""
    import torch

    from engine.models import half_weights

    stored = {dtype for dtype, _ in tensors(folder.weights)}
    if not half_weights.is_possible(device.best_device()) or len(stored) != 1:
        return None
    return {"BF16": torch.bfloat16, "F16": torch.float16}.get(stored.pop())


def need_to_write(folder: TransformersFolder) -> int:
    """Bytes of memory with the weights as `load` keeps them."""
    from engine.models import half_weights

    if narrow_dtype(folder) is None:
        return need(folder, device.best_dtype(device.best_device()).itemsize)
    shapes = [shape for _, shape in tensors(folder.weights)]
    table = 2 * max((math.prod(shape) for shape in shapes), default=0)  # beside the last layer
    return sum(map(half_weights.packed_bytes, shapes)) + table + LIBRARIES


def need(folder: TransformersFolder, bytes_each: int) -> int:
    """Bytes of memory with parameters of so many bytes each; a long text takes a little more."""
    return folder.parameters * bytes_each + LIBRARIES


def open_folder(folder: TransformersFolder, dtype: torch.dtype, report: Report) -> tuple[Any, Any]:
    """(model, tokenizer) of transformers, on the CPU; raises ModelError, OutOfMemory."""
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    memory.require(need(folder, dtype.itemsize), f"{folder.path.name} needs", SMALLER)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    device.configure_threads()
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            folder.path, local_files_only=True, trust_remote_code=False
        )
        report(Progress(0, None, "loading the model"))
        model = AutoModelForCausalLM.from_pretrained(
            folder.path,
            dtype=dtype,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
        )
    except (*UNREADABLE, SafetensorError) as error:
        raise ModelError(
            f"transformers cannot load {folder.path}: {first_line(error)}",
            "Copy or download the whole folder again, or choose another model.",
        ) from error
    return model, tokenizer


def chat_of(tokenizer: Any, template: Any = None) -> Chat | None:
    """The chat template of a tokenizer of transformers, or the other one that goes with it; None
    for a base model's."""
    template = template or tokenizer.chat_template
    if isinstance(template, dict):  # several templates, for tools and so on
        template = template.get("default")
    if not template:
        return None
    special = tokenizer.special_tokens_map
    return Chat(template, str(special.get("bos_token", "")), str(special.get("eos_token", "")))


def context_of(model: Any) -> int:
    """The most tokens that a model of transformers reads at once."""
    config = model.config.get_text_config()
    return int(getattr(config, "max_position_embeddings", None) or UNBOUNDED)


class TransformersModel:
    """A LanguageModel on transformers."""

    def __init__(self, name: str, model: Any, tokenizer: Any) -> None:
        from transformers import GenerationConfig

        self.name = name
        self._device = device.best_device()
        self._tokenizer = tokenizer
        self._model = model.eval().to(self._device)
        self._end_ids = _end_ids(model, self._tokenizer)
        model.generation_config = GenerationConfig()  # no habits of the folder's

    @property
    def chat(self) -> Chat | None:
        return chat_of(self._tokenizer)

    @property
    def context_length(self) -> int:
        return context_of(self._model)

    @property
    def versions(self) -> dict[str, str]:
        return {name: version(name) for name in ("torch", "transformers")}

    def generate(self, request: Request, report: Report) -> Written:
        import torch
        from transformers import StoppingCriteriaList

        prompt_ids = self._ids(request.prompt)
        room = self._room(request, prompt_ids.shape[1])
        progress = GenerationProgress(self._decode, prompt_ids[0].tolist(), request, report)
        torch.manual_seed(request.seed)
        with torch.inference_mode(), progress.reading():
            output = self._model.generate(
                prompt_ids,
                attention_mask=torch.ones_like(prompt_ids),
                generation_config=self._generation_config(request, room),
                stopping_criteria=StoppingCriteriaList([progress]),
            )
        return progress.written(output[0].tolist(), self._end_ids)

    def next_tokens(self, prompt: str, count: int) -> list[tuple[str, float]]:
        import torch

        rows = self._ids(prompt)
        if rows.shape[1] >= self.context_length:
            raise PromptTooLong(self.name, rows.shape[1], self.context_length)
        with torch.inference_mode():
            logits = self._model(rows, logits_to_keep=1).logits[0, -1].float()
        found = torch.topk(logits.softmax(-1), min(count, len(logits)))
        pairs = zip(found.indices.tolist(), found.values.tolist(), strict=True)
        near = rows[0, -NEIGHBOURS:].tolist()
        before = self._decode(near)
        return [(self._decode([*near, token])[len(before) :], value) for token, value in pairs]

    def _ids(self, prompt: str) -> torch.Tensor:
        """Token ids (1, N) of a prompt."""
        ids: torch.Tensor = self._tokenizer(
            prompt, return_tensors="pt", add_special_tokens=self.chat is None
        )["input_ids"]
        if not ids.shape[1]:
            raise InvalidTask("prompt", f"{self.name} knows no word of the prompt.")
        return ids.to(self._device)

    def _room(self, request: Request, prompt_tokens: int) -> int:
        """Tokens that the model can still write after the prompt."""
        check_room(request, self.name, prompt_tokens, self.context_length)
        return self.context_length - prompt_tokens

    def _generation_config(self, request: Request, room: int) -> Any:
        from transformers import GenerationConfig

        names = ("temperature", "top_k", "top_p", "min_p", "typical_p")
        sampling = {name: getattr(request, name) for name in names} if request.do_sample else {}
        return GenerationConfig(
            max_new_tokens=min(request.max_new_tokens, room),
            do_sample=request.do_sample,
            num_beams=request.num_beams,
            repetition_penalty=request.repetition_penalty,
            no_repeat_ngram_size=request.no_repeat_ngram_size,
            eos_token_id=self._end_ids or None,
            pad_token_id=self._end_ids[0] if self._end_ids else 0,
            **sampling,
        )

    def _decode(self, token_ids: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(
            token_ids, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return text


def _end_ids(model: Any, tokenizer: Any) -> list[int]:
    """The tokens that end a text; folders often name only one of two places."""
    named = model.generation_config.eos_token_id
    ids = [tokenizer.eos_token_id, *(named if isinstance(named, list) else [named])]
    return list(dict.fromkeys(i for i in ids if i is not None))


def first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
