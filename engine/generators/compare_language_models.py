"""Lets two language models write to the same prompts, and measures how well each knows a text."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from engine import files, library, metadata
from engine.data.text_corpus import corpus_names
from engine.errors import InvalidTask
from engine.events import ComparedModel, ComparedText, Event, Progress, Report, Saved, Token
from engine.generators.perplexity import Perplexity
from engine.generators.text_generation import TextGeneration
from engine.task import Task, param, same_param

MOST_PROMPTS = 100


@dataclass(frozen=True)
class CompareLanguageModels(Task):
    """Both get the same prompts, the same decoding and the same seed, one after the other."""

    title: ClassVar[str] = "Compare two models"
    summary: ClassVar[str] = "Shows what two language models write to the same prompts."

    prompts: str = param(
        label="Prompts",
        help="What both are asked, one prompt per line.",
        kind="prompt",
        required=True,
    )
    model: str = same_param(TextGeneration, "model")
    other_model: str = param(
        library.STARTER_TEXT_MODEL,
        label="Other model",
        help="Whom it is compared with. NAME@STEP is one checkpoint of a training.",
        choices=library.text_models,
        editable=True,
        kind="model",
        required=True,
    )
    text: str = param(
        "",
        label="Perplexity of",
        help="A text file in UTF-8, JSONL or an embedded text: how surprised is each by it? "
        "Empty measures nothing.",
        choices=lambda: ("", *corpus_names()),
        editable=True,
        kind="file",
    )
    max_new_tokens: int = param(
        64,
        label="Length",
        help="The most that is written to each prompt.",
        minimum=1,
        maximum=4096,
        unit="tokens",
    )
    do_sample: bool = param(
        False,
        label="Vary",
        help="Off: each writes what it finds likeliest, which is what compares best. On: by the "
        "seed.",
    )
    temperature: float = same_param(TextGeneration, "temperature")
    system_prompt: str = same_param(TextGeneration, "system_prompt")
    repetition_penalty: float = same_param(TextGeneration, "repetition_penalty")
    apply_chat_template: bool = same_param(TextGeneration, "apply_chat_template")
    seed: int = same_param(TextGeneration, "seed")

    def __post_init__(self) -> None:
        super().__post_init__()
        count = len(self.asked())
        if not 0 < count <= MOST_PROMPTS:
            problem = "Nothing is asked." if not count else f"{count} prompts are too many."
            raise InvalidTask("prompts", problem, f"Write 1 to {MOST_PROMPTS}, one per line.")
        if self.model == self.other_model:
            raise InvalidTask(
                "other_model",
                "That is the same model.",
                "Choose another, or one of its checkpoints.",
            )

    def asked(self) -> list[str]:
        return [line.strip() for line in self.prompts.splitlines() if line.strip()]

    def run(self, report: Report, out: Path) -> None:
        """Write compare-TIME.json and .md; raises ModelError, DatasetError, OutOfMemory."""
        files.make_folder(out)
        both = [self._writing(name) for name in (self.model, self.other_model)]
        paths = [writing.find_model() for writing in both]  # both are there, before one writes
        found = [
            self._one(number, writing, path, report)
            for number, (writing, path) in enumerate(zip(both, paths, strict=True))
        ]
        path = files.new_path(out, f"compare-{files.timestamp()}", ".md")
        files.write_text(path, self._markdown(found))
        report(Saved(path))
        record = {
            "task": self.name(),
            "fields": self.to_dict(),
            "models": found,
            "versions": {"atelier": metadata.version()},
        }
        files.write_json(path.with_suffix(".json"), record)
        report(Saved(path.with_suffix(".json")))

    def _writing(self, model: str) -> TextGeneration:
        own = self.to_dict()
        names = TextGeneration.__dataclass_fields__.keys() & own.keys()
        return TextGeneration(**{n: own[n] for n in names} | {"prompt": "…", "model": model})

    def _one(
        self, number: int, writing: TextGeneration, path: Path, report: Report
    ) -> dict[str, Any]:
        """What one model wrote and how it did."""
        from engine.language import loading

        model = loading.load(path, False, report)
        texts, tokens, seconds = [], 0, 0.0
        asked = self.asked()
        for place, prompt in enumerate(asked):
            report(Progress(place, len(asked), f"{model.name} writes"))
            cell = _Cell(number, place, report)
            started = time.perf_counter()
            own = TextGeneration(**writing.to_dict() | {"prompt": prompt})
            written = own.write(model, cell)
            seconds += time.perf_counter() - started
            tokens += written.new_tokens
            texts.append(written.text)
            report(ComparedText(number, place, written.text))
        measured = self._measure(writing.model, report) if self.text else {}
        facts = ComparedModel(
            number,
            tokens / max(seconds, 1e-9),
            measured.get("perplexity"),
            measured.get("bits_per_byte"),
        )
        report(facts)
        named = {"name": metadata.bare_name(writing.model), "sha256": loading.hashes(path, report)}
        return named | asdict(facts) | {"texts": texts, "tokens": tokens, "perplexity_of": measured}

    def _measure(self, model: str, report: Report) -> dict[str, Any]:
        return Perplexity(text=self.text, model=model).measure(report)

    def _markdown(self, found: list[dict[str, Any]]) -> str:
        lines = ["| Model | Tokens/s | Perplexity | Bits per byte |", "|---|---|---|---|"]
        for each in found:
            known = [each["tokens_per_second"], each["perplexity"], each["bits_per_byte"]]
            told = " | ".join("" if value is None else f"{value:.2f}" for value in known)
            lines.append(f"| {each['name']} | {told} |")
        for place, prompt in enumerate(self.asked()):
            lines += ["", f"## {prompt}"]
            for each in found:
                lines += ["", f"**{each['name']}**", "", each["texts"][place].strip()]
        return "\n".join(lines) + "\n"


class _Cell:
    """Hears the words of one text and tells where they belong."""

    def __init__(self, model: int, prompt: int, report: Report) -> None:
        self._place = (model, prompt)
        self._report = report
        self._text = ""

    def __call__(self, event: Event) -> None:
        if isinstance(event, Token):
            self._text += event.text
            self._report(ComparedText(*self._place, self._text))
        else:
            self._report(event)
