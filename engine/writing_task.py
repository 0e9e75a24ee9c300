"""What every task that writes with a language model shares: decoding, the model, the record."""

from __future__ import annotations

import time
from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import files, library, metadata, packs
from engine.events import ContextUse, Mended, Notice, Report, Saved, Token
from engine.task import Task, param, seed_param

if TYPE_CHECKING:
    from engine.language.model import LanguageModel, Request, Written


@dataclass(frozen=True)
class WritingTask(Task):
    """One text. The words of its fields are those of transformers' GenerationConfig."""

    prompt: str = param(
        label="Prompt",
        help="What the text is about: a question or a request. A base model continues it.",
        kind="prompt",
        required=True,
    )
    system_prompt: str = param(
        "",
        label="System prompt",
        help="Who answers and how, for the whole text: “You are a poet. Answer in rhymes.” "
        "Empty leaves it to the model.",
        kind="text",
    )
    model: str = param(
        library.STARTER_TEXT_MODEL,
        label="Model",
        help="Who writes. Larger models write better and slower. "
        "A name, a .gguf file or a model folder.",
        choices=library.text_models,
        editable=True,
        kind="model",
        required=True,
    )
    max_new_tokens: int = param(
        256,
        label="Length",
        help="The most that is written. Ten tokens are about seven English words.",
        minimum=1,
        maximum=32_768,
        unit="tokens",
    )
    do_sample: bool = param(
        True,
        label="Vary",
        help="On: each seed gives another text, livelier. Off: always the likeliest words, drier.",
    )
    temperature: float = param(
        0.7,
        label="Temperature",
        help="Low stays with the expected, high takes surprising words; above 1.2 it rambles. "
        "Only with Vary.",
        minimum=0.01,
        maximum=5.0,
    )
    top_k: int = param(
        50,
        label="Top k",
        help="Chooses among this many of the likeliest words; fewer is safer, 0 is all of them. "
        "Only with Vary.",
        minimum=0,
        maximum=10_000,
        advanced=True,
    )
    top_p: float = param(
        0.9,
        label="Top p",
        help="Drops the unlikely words that make up the rest of the probability; "
        "1 keeps all. Only with Vary.",
        minimum=0.01,
        maximum=1.0,
        advanced=True,
    )
    min_p: float = param(
        0.0,
        label="Min p",
        help="Drops words that are less likely than this part of the likeliest one: 0.05 stays "
        "sensible even when warm; 0 drops none. Only with Vary.",
        minimum=0.0,
        maximum=1.0,
        advanced=True,
    )
    typical_p: float = param(
        1.0,
        label="Typical p",
        help="Keeps the words that surprise about as much as is usual at this place: 0.9 avoids "
        "both the flat and the odd; 1 keeps all. Only with Vary.",
        minimum=0.01,
        maximum=1.0,
        advanced=True,
    )
    num_beams: int = param(
        1,
        label="Beams",
        help="Follows several texts at once and keeps the likeliest whole: more accurate, drier, "
        "slower. The text appears at its end.",
        minimum=1,
        maximum=16,
        advanced=True,
    )
    repetition_penalty: float = param(
        1.1,
        label="Repetition penalty",
        help="Above 1 words that have been used come back less often; above 1.3 it reads forced.",
        minimum=1.0,
        maximum=2.0,
        advanced=True,
    )
    no_repeat_ngram_size: int = param(
        0,
        label="Forbid repeats of",
        help="A row of this many tokens never comes twice: 3 or 4 ends loops; 0 forbids nothing.",
        minimum=0,
        maximum=20,
        advanced=True,
        unit="tokens",
    )
    stop: str = param(
        "",
        label="Stop at",
        help="The text ends before any of these, one per line; \\n stands for a line break.",
        kind="text",
        advanced=True,
    )
    whole_sentences: bool = param(
        False,
        label="End with a sentence",
        help="A text that its length cuts off loses the part of a sentence at its end.",
        advanced=True,
    )
    drop_repeats: bool = param(
        False,
        label="Drop repeats",
        help="Takes out, in the end, phrases said twice in a row and sentences that their "
        "paragraph has had before.",
        advanced=True,
    )
    seed: int = seed_param()

    def run(self, report: Report, out: Path) -> None:
        """Write NAME.txt, the text alone, and NAME.json, the whole task, into `out`.

        Raises ModelError, InvalidTask (a prompt that is too long), OutOfMemory, FileError.
        """
        from engine.language import loading

        files.make_folder(out)  # before the work, not after it
        path = self.find_model()
        needs_transformers = self.num_beams > 1 or self.no_repeat_ngram_size > 0
        model = loading.load(path, needs_transformers, report)
        sha256 = loading.hashes(path, report)
        started = time.perf_counter()
        written = self.write(model, report)
        if written.end == "context":
            report(Notice(f"The text ends here: {model.name} can read no more at once."))
        told = self.mended(written, report) + written.appendix
        if written.appendix:
            report(Token(written.appendix))
        taken = written.prompt_tokens + written.new_tokens
        report(ContextUse(taken, model.context_length, written.forgotten))
        record = {
            "task": self.name(),
            "fields": self.to_dict() | {"model": metadata.bare_name(self.model)},
            "digital_source_type": "trainedAlgorithmicMedia",
            "model_file": path.name,
            "sha256": sha256,
            "versions": {"atelier": metadata.version()} | model.versions,
            "prompt_tokens": written.prompt_tokens,
            "new_tokens": written.new_tokens,
            "seconds": round(time.perf_counter() - started, 3),
            "end": written.end,
            "forgotten_messages": written.forgotten,
            "continues_prompt": not self.is_answer(model),
        }
        _save(out, told if self.is_answer(model) else self.prompt + told, record, report)

    def find_model(self) -> Path:
        """Where the model lies; raises ModelError."""
        pack = packs.needed_by(self)
        if pack is not None:
            raise packs.missing(pack)
        return library.find(self.model)

    @abstractmethod
    def is_answer(self, model: LanguageModel) -> bool:
        """Whether what `model` writes stands for itself; else it continues the prompt."""

    @abstractmethod
    def whole_prompt(self, model: LanguageModel, report: Report) -> str:
        """What the model reads; raises InvalidTask where this one cannot do it."""

    def write(self, model: LanguageModel, report: Report) -> Written:
        """Let the model write; raises EngineError, Cancelled."""
        return model.generate(self.request(model, report), report)

    def mended(self, written: Written, report: Report) -> str:
        """The text after what was asked to be done to it."""
        from engine.language import tidy

        text = written.text
        if self.whole_sentences and written.end in ("length", "context"):
            text = tidy.whole_sentences(text)
        if self.drop_repeats:
            text = tidy.without_repeats(text)
        if text != written.text:
            report(Mended(text))
        return text

    def request(self, model: LanguageModel, report: Report) -> Request:
        """The task as the model takes it; raises InvalidTask."""
        from engine.language.model import Request

        names = Request.__dataclass_fields__.keys() & self.to_dict().keys()
        values = {name: getattr(self, name) for name in names}
        whole = self.whole_prompt(model, report)
        values["prompt"] = whole.encode("utf-8", "replace").decode()  # no lone surrogates
        values["stop"] = tuple(line.replace("\\n", "\n") for line in self.stop.splitlines() if line)
        return Request(**values)


def _save(out: Path, text: str, record: dict[str, Any], report: Report) -> None:
    path = files.new_path(out, f"text-{files.timestamp()}", ".txt")
    files.write_text(path, text)
    report(Saved(path))
    files.write_json(path.with_suffix(".json"), record)
    report(Saved(path.with_suffix(".json")))
