"""Measures how surprised a language model is by a text: its perplexity, with context and stride."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from engine import device, files, library, metadata
from engine.data.jsonl import Document
from engine.data.text_corpus import corpus_names, load_corpus, read_documents
from engine.errors import InvalidTask
from engine.events import Notice, Progress, Report, Saved
from engine.language import openable, trained
from engine.runs import RunFolder
from engine.task import Task, param
from engine.trained_language_models import run_of

PARTS = ("all", "held out")
LONGEST = 1024
"""The context where nothing was asked for: more takes long and seldom changes much."""


@dataclass(frozen=True)
class Perplexity(Task):
    """exp of the mean loss of a token, with a sliding window."""

    title: ClassVar[str] = "Perplexity"
    summary: ClassVar[str] = "Measures how well a language model knows a text."

    text: str = param(
        label="Text",
        help="A text file in UTF-8, a folder of .txt and .md files, JSONL, or an embedded text.",
        choices=corpus_names,
        editable=True,
        kind="file",
        required=True,
    )
    model: str = param(
        library.STARTER_TEXT_MODEL,
        label="Model",
        help="A name, a model folder, a .gguf file, or the folder of a training run.",
        choices=library.text_models,
        editable=True,
        kind="model",
        required=True,
    )
    part: str = param(
        "all",
        label="Part",
        help="all of the text, or the twentieth that trainings here do not learn from.",
        choices=PARTS,
    )
    context: int = param(
        0,
        label="Context",
        help="Tokens that the model reads at once. More make the text less surprising, so compare "
        "numbers of one context only. 0 takes what the model can, up to 1,024.",
        minimum=0,
        maximum=1_000_000,
        unit="tokens",
        zero="as the model",
        advanced=True,
    )
    stride: int = param(
        0,
        label="Stride",
        help="How far the window moves. Smaller gives each token more to go by and takes longer; "
        "as large as the context is quickest. 0 takes half the context.",
        minimum=0,
        maximum=1_000_000,
        unit="tokens",
        zero="half the context",
        advanced=True,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.context and self.stride > self.context:
            raise InvalidTask(
                "stride",
                f"A stride of {self.stride} leaves gaps between windows of {self.context}.",
                f"Choose at most {self.context}.",
            )

    def run(self, report: Report, out: Path) -> None:
        """Write perplexity-TIME.json into `out`; raises DatasetError, ModelError, OutOfMemory."""
        files.make_folder(out)
        record = self.measure(report)
        path = files.new_path(out, f"perplexity-{files.timestamp()}", ".json")
        files.write_json(path, record)
        report(
            Notice(
                f"Perplexity {record['perplexity']:,.2f} over {record['tokens']:,} tokens "
                f"(context {record['context']}, stride {record['stride']})."
            )
        )
        report(Saved(path))

    def measure(self, report: Report) -> dict[str, Any]:
        """What was found, as it is written; raises DatasetError, ModelError, OutOfMemory."""
        from engine.language import perplexity, tokens

        openable.check_pack(self)
        documents = self._documents(report)
        opened = self._open(report)
        import torch

        ids = torch.from_numpy(tokens.encode(opened.tokenizer, documents, report))
        context, stride = self._window(opened.model, report)
        model = opened.model.to(device.best_device())
        started = time.perf_counter()

        def look_up(done: int, total: int) -> None:
            report(Progress(done, total, "measuring"))

        found = perplexity.measure(model, ids, context, stride, look_up)
        size = sum(len(document.text.encode()) for document in documents)
        return {
            "task": self.name(),
            "fields": self.to_dict() | {"model": metadata.bare_name(self.model)},
            "perplexity": found.value,
            "loss": found.loss,
            "bits_per_byte": found.bits_per_byte(size),
            "tokens": found.tokens,
            "context": found.context,
            "stride": found.stride,
            "bytes": size,
            "dtype": str(model.dtype).removeprefix("torch."),
            **opened.facts,
            "versions": {"atelier": metadata.version(), "torch": torch.__version__},
            "seconds": round(time.perf_counter() - started, 3),
        }

    def _documents(self, report: Report) -> tuple[Document, ...]:
        if self.part == "all":
            return read_documents(self.text, report)[0]
        return load_corpus(self.text, report).held_out

    def _open(self, report: Report) -> openable.Opened:
        dtype = device.best_dtype(device.best_device())
        path = Path(self.model).expanduser()
        if trained.is_run(path):
            return trained.open_run(RunFolder(path), 0, "best", dtype, report)
        if found := run_of(library.find(self.model)):
            return trained.open_run(*found, "best", dtype, report)
        return openable.open_source(openable.find(self.model, report), dtype, report)

    def _window(self, model: Any, report: Report) -> tuple[int, int]:
        from engine.language.transformers_folder import context_of

        most = context_of(model)
        context = min(self.context or LONGEST, most)
        if self.context > most:
            report(Notice(f"The context is {most} tokens: the model reads no more."))
        return context, min(self.stride or max(1, context // 2), context)
