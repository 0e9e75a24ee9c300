"""Writes with a language model that was trained here, or is being trained now."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from engine import device, files, metadata
from engine.events import Progress, Report, Saved
from engine.generators.text_generation import TextGeneration
from engine.language import trained
from engine.runs import RunFolder
from engine.task import Task, param, same_param, seed_param

if TYPE_CHECKING:
    from engine.language.model import Request


@dataclass(frozen=True)
class SampleLanguageModel(Task):
    """One text that goes on from the prompt, or begins by itself."""

    title: ClassVar[str] = "Write with a trained model"
    summary: ClassVar[str] = "Writes text with a language model from a training run."

    run_folder: str = param(
        label="Training run",
        help="The folder of the run whose model writes; the run may still be going on.",
        kind="folder",
        required=True,
    )
    prompt: str = param(
        "",
        label="Prompt",
        help="The beginning of the text. Empty lets the model begin.",
        kind="prompt",
    )
    checkpoint: int = param(
        0,
        label="Checkpoint",
        help="The step of training whose weights write: earlier ones show what was learned when. "
        "0 takes the newest.",
        minimum=0,
        maximum=100_000_000,
        unit="step",
        zero="newest",
    )
    max_new_tokens: int = same_param(TextGeneration, "max_new_tokens")
    temperature: float = same_param(TextGeneration, "temperature")
    top_k: int = same_param(TextGeneration, "top_k")
    top_p: float = same_param(TextGeneration, "top_p")
    do_sample: bool = same_param(TextGeneration, "do_sample")
    weights: str = param(
        "best",
        label="Weights",
        help="best are those that knew the held-out text best until the checkpoint; last those of "
        "exactly its step.",
        choices=trained.WEIGHTS,
        advanced=True,
    )
    seed: int = seed_param()

    def run(self, report: Report, out: Path) -> None:
        """Write NAME.txt, the prompt and what follows, and NAME.json, the record, into `out`."""
        files.make_folder(out)
        report(Progress(0, self.max_new_tokens, "loading the model"))
        run = RunFolder(Path(self.run_folder).expanduser())
        where = device.best_device()
        opened = trained.open_run(
            run, self.checkpoint, self.weights, device.best_dtype(where), report
        )
        from engine.language.transformers_folder import TransformersModel

        model = TransformersModel(run.path.name, opened.model, opened.tokenizer)
        started = time.perf_counter()
        written = model.generate(self._request(opened.tokenizer), report)
        record = {
            "task": self.name(),
            "fields": self.to_dict() | {"checkpoint": opened.facts["step"]},
            "digital_source_type": "trainedAlgorithmicMedia",
            **opened.facts,
            "versions": {"atelier": metadata.version()} | model.versions,
            "new_tokens": written.new_tokens,
            "seconds": round(time.perf_counter() - started, 3),
            "end": written.end,
        }
        _save(out, f"step-{opened.facts['step']}", self.prompt + written.text, record, report)

    def _request(self, tokenizer: Any) -> Request:
        from engine.language.model import Request

        begin = tokenizer.bos_token or tokenizer.eos_token or ""
        return Request(
            prompt=self.prompt.encode("utf-8", "replace").decode() or begin,
            max_new_tokens=self.max_new_tokens,
            do_sample=self.do_sample,
            temperature=self.temperature,
            top_k=self.top_k,
            top_p=self.top_p,
            min_p=0.0,
            typical_p=1.0,
            num_beams=1,
            repetition_penalty=1.0,
            no_repeat_ngram_size=0,
            stop=(),
            seed=self.seed,
        )


def _save(out: Path, step: str, text: str, record: dict[str, Any], report: Report) -> None:
    path = files.new_path(out, f"text-{files.timestamp()}-{step}", ".txt")
    files.write_text(path, text)
    report(Saved(path))
    files.write_json(path.with_suffix(".json"), record)
    report(Saved(path.with_suffix(".json")))
