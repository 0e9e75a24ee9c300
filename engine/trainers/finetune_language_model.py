"""Goes on training a language model of this machine: all its weights, or a LoRA beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from engine import library, memory
from engine.data.text_corpus import load_corpus
from engine.events import Progress, Report
from engine.language import openable
from engine.language_training import LanguageTraining
from engine.task import param, with_default
from engine.training import Learner, TrainingTask

if TYPE_CHECKING:
    from engine.language.openable import Source

METHODS = ("lora", "full")
RATES = {"lora": 3e-4, "full": 3e-5}
"""A LoRA learns at about ten times the rate of all weights."""
BYTES_EACH = {"lora": 5, "full": 20}
"""Of memory for a weight: itself; with its gradient, Adam's two means, the best so far."""


@dataclass(frozen=True)
class FinetuneLanguageModel(LanguageTraining):
    """Learns to continue a text, beginning with all that a model knows already."""

    title: ClassVar[str] = "Fine-tune a language model"
    summary: ClassVar[str] = "Teach a language model of this machine to write like a text."

    model: str = param(
        library.STARTER_TEXT_MODEL,
        label="Model",
        help="Who learns. A name, a model folder or a .gguf file; it is not changed itself.",
        choices=library.text_models,
        editable=True,
        kind="model",
        required=True,
    )
    method: str = param(
        "lora",
        label="Method",
        help="lora learns small weights beside the model's own: less memory, small files. full "
        "changes all weights: learns more, and forgets more.",
        choices=METHODS,
    )
    lora_r: int = param(
        8,
        label="LoRA rank",
        help="How much a LoRA can learn. 8 is enough for a style; more for much new knowledge.",
        minimum=1,
        maximum=1024,
        advanced=True,
    )
    lora_alpha: int = param(
        16,
        label="LoRA alpha",
        help="How strongly a LoRA speaks, in relation to its rank; twice the rank is usual.",
        minimum=1,
        maximum=4096,
        advanced=True,
    )
    lora_dropout: float = param(
        0.05,
        label="LoRA dropout",
        help="The part of a LoRA that rests in a step, against learning by heart.",
        minimum=0.0,
        maximum=0.9,
        advanced=True,
    )
    learning_rate: float = param(
        0.0,
        label="Learning rate",
        help="How far the weights move in a step. Too high and the model forgets how to write; "
        "0 takes 3e-4 for lora and 3e-5 for full.",
        minimum=0.0,
        maximum=1.0,
        live=True,
        zero="as the method",
    )
    patience: int = with_default(LanguageTraining, "patience", 4)
    validate_every: int = with_default(LanguageTraining, "validate_every", 25)
    warmup_steps: int = with_default(LanguageTraining, "warmup_steps", 10)
    weight_decay: float = with_default(LanguageTraining, "weight_decay", 0.01)
    batch_size: int = with_default(TrainingTask, "batch_size", 4)
    max_steps: int = with_default(TrainingTask, "max_steps", 200)
    checkpoint_every: int = with_default(TrainingTask, "checkpoint_every", 50)
    log_every: int = with_default(TrainingTask, "log_every", 5)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "model", library.absolute(self.model))

    @property
    def rate(self) -> float:
        return self.learning_rate or RATES[self.method]

    def learner(self, report: Report) -> Learner:
        openable.check_pack(self)
        corpus = load_corpus(self.dataset, report)
        source = openable.find(self.model, report)
        self._check_memory(source)
        report(Progress(0, None, "loading the model"))
        import torch

        opened = openable.open_source(source, torch.float32, report)
        model = opened.model
        if self.method == "lora":
            model = self._with_lora(model, source)
        from engine.trainers.language_learner import LanguageLearner

        base = {"name": self.model, "sha256": source.sha256}
        return LanguageLearner(self, model, opened.tokenizer, corpus, report, {"base": base})

    def _with_lora(self, model: Any, source: Source) -> Any:
        from engine.language import lora

        base = str(source.folder.path)
        return lora.attach(
            model, lora.LoraSettings(self.lora_r, self.lora_alpha, self.lora_dropout, base)
        )

    def _check_memory(self, source: Source) -> None:
        needed = source.folder.parameters * BYTES_EACH[self.method]
        hint = "Choose a smaller model" + (", or lora." if self.method == "full" else ".")
        memory.require(needed, f"Training {source.path.name} needs at least", hint)
