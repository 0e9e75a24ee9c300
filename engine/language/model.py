"""The one interface over both runtimes: a request of plain values in, text streamed out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from engine.errors import InvalidTask
from engine.events import Report
from engine.language.chat import Chat

End = Literal["finished", "stop string", "length", "context"]
"""Why a text ended: the model was done, a stop string came, enough tokens, or no room for more."""


@dataclass(frozen=True)
class Request:
    """One text to write. The words are those of transformers' GenerationConfig."""

    prompt: str
    """As the model reads it: the chat template has been applied."""
    max_new_tokens: int
    do_sample: bool
    temperature: float
    top_k: int
    top_p: float
    min_p: float
    typical_p: float
    num_beams: int
    repetition_penalty: float
    no_repeat_ngram_size: int
    stop: tuple[str, ...]
    seed: int
    room: int = 0
    """Tokens that must be left for the answer, a quarter of the context at most: a prompt that
    leaves less is too long."""
    keeps_prefix: bool = False
    """Whether the beginning that was read or written before need not be read again. A text may
    then differ from one of the same seed that is written cold: rounding is another."""


@dataclass(frozen=True)
class Written:
    """What a model wrote, and how much it read and wrote for it."""

    text: str
    prompt_tokens: int
    new_tokens: int
    end: End
    forgotten: int = 0
    """Messages of a chat that were left out because they found no room."""
    appendix: str = ""
    """What follows the text and is no part of it: where it comes from."""


class LanguageModel(Protocol):
    """A loaded model; `chat` is None for a base model, which continues the prompt."""

    @property
    def name(self) -> str: ...

    @property
    def chat(self) -> Chat | None: ...

    @property
    def context_length(self) -> int:
        """The most tokens that it reads and writes together."""
        ...

    @property
    def versions(self) -> dict[str, str]:
        """The libraries that computed the text, for its record."""
        ...

    def next_tokens(self, prompt: str, count: int) -> list[tuple[str, float]]:
        """The `count` likeliest tokens after `prompt` (the chat template has been applied) with
        their probabilities, the likeliest first; raises EngineError."""
        ...

    def generate(self, request: Request, report: Report) -> Written:
        """Write: report each piece of text as Token; raises EngineError, Cancelled."""
        ...


class PromptTooLong(InvalidTask):
    """Nothing is ever cut silently: the person decides what the model need not read."""

    def __init__(self, name: str, tokens: int, context_length: int) -> None:
        super().__init__(
            "prompt",
            f"The prompt has {tokens} tokens, but {name} can read and write {context_length} "
            "together.",
            "Shorten the prompt, or choose a model with a longer context.",
        )
        self.tokens = tokens
        self.context_length = context_length

    def __reduce__(self) -> tuple[Any, ...]:
        return InvalidTask, (self.field, self.message, self.hint)


def check_room(request: Request, name: str, prompt_tokens: int, context_length: int) -> None:
    """Raises PromptTooLong where the prompt leaves less room than is asked for."""
    room = max(1, min(request.room, context_length // 4))
    if prompt_tokens + room > context_length:
        raise PromptTooLong(name, prompt_tokens, context_length)
