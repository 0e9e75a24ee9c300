"""Folders of causal language models on transformers: greedy, sampled and beam search."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import cache, device, memory
from engine.errors import InvalidTask, ModelError
from engine.events import Progress, Report
from engine.gate.transformers_folder import TransformersFolder, check_language_model
from engine.language.chat import Chat
from engine.language.model import End, PromptTooLong, Request, Written, check_room
from engine.language.streaming import TextStream, TokenDecoder, find_stop

if TYPE_CHECKING:
    import torch

NEIGHBOURS = 8
"""Tokens of the prompt that decide how the first new token is spelled."""

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
    return cache.loaded(
        ("transformers", path, folder.fingerprint),
        lambda: TransformersModel(path.name, *open_folder(folder, _half(), report)),
    )


def need(folder: TransformersFolder, bytes_each: int) -> int:
    """Bytes of memory with parameters of so many bytes each; a long text takes a little more."""
    return folder.parameters * bytes_each + LIBRARIES


def open_folder(folder: TransformersFolder, dtype: torch.dtype, report: Report) -> tuple[Any, Any]:
    """(model, tokenizer) of transformers, on the CPU; raises ModelError, OutOfMemory."""
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    hint = "Close other programs, or choose a smaller model (a GGUF needs least)."
    memory.require(need(folder, dtype.itemsize), f"{folder.path.name} needs", hint)
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


def _half() -> torch.dtype:
    """What it computes in: half precision where the device is made for it."""
    return device.best_dtype(device.best_device())


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
        progress = _Writing(self._decode, prompt_ids[0].tolist(), request, report)
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


class _Writing:
    """A stopping criterion of transformers: called after each token with all tokens so far.

    Without beams it passes the text on as it grows; with beams the best text is known at the end.
    """

    def __init__(
        self,
        decode: Callable[[list[int]], str],
        prompt_ids: list[int],
        request: Request,
        report: Report,
    ) -> None:
        self._decode = decode
        self._request = request
        self._report = report
        self._prompt_length = self._seen = len(prompt_ids)
        self._stream = TextStream(request.stop, report)
        self._decoder = TokenDecoder(decode, prompt_ids[-NEIGHBOURS:])

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Until the first token is there each module that computes is a chance to stop."""
        from torch.nn.modules.module import register_module_forward_pre_hook

        stage = Progress(0, self._request.max_new_tokens, "reading the prompt")

        def look_up(module: Any, inputs: Any) -> None:
            if self._seen == self._prompt_length:
                self._report(stage)

        hook = register_module_forward_pre_hook(look_up)
        try:
            yield
        finally:
            hook.remove()

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        """Which rows of `input_ids` (N, tokens) are done: bool (N,)."""
        import torch

        count = input_ids.shape[1] - self._prompt_length
        total = self._request.max_new_tokens
        if self._request.num_beams > 1:
            done = [self._has_stop(row) for row in input_ids.tolist()]
        else:
            self._stream.add(self._decoder.add(input_ids[0, self._seen :].tolist()))
            done = [self._stream.stopped]
        self._seen = input_ids.shape[1]
        self._report(Progress(count, total, "writing"))
        return torch.tensor(done, device=input_ids.device)

    def written(self, token_ids: list[int], end_ids: Sequence[int]) -> Written:
        """The whole result, once generate() has returned `token_ids` with the prompt in front."""
        new_ids = token_ids[self._prompt_length :]
        if self._request.num_beams > 1:
            while end_ids and len(new_ids) > 1 and new_ids[-1] == new_ids[-2] == end_ids[0]:
                new_ids.pop()  # beams that end early are padded
            self._stream.add(self._decoder.add(new_ids))
        self._stream.add(self._decoder.close())
        self._stream.close()
        return Written(
            self._stream.text, self._prompt_length, len(new_ids), self._end(new_ids, end_ids)
        )

    def _end(self, new_ids: Sequence[int], end_ids: Sequence[int]) -> End:
        if self._stream.stopped:
            return "stop string"
        if new_ids and new_ids[-1] in end_ids:
            return "finished"
        return "length" if len(new_ids) >= self._request.max_new_tokens else "context"

    def _has_stop(self, token_ids: list[int]) -> bool:
        if not self._request.stop:
            return False
        text = self._decode(token_ids[self._prompt_length :])
        return find_stop(text, self._request.stop) is not None


def _end_ids(model: Any, tokenizer: Any) -> list[int]:
    """The tokens that end a text; folders often name only one of two places."""
    named = model.generation_config.eos_token_id
    ids = [tokenizer.eos_token_id, *(named if isinstance(named, list) else [named])]
    return list(dict.fromkeys(i for i in ids if i is not None))


def first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
