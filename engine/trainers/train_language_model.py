"""Trains a small GPT from nothing on a text (Radford et al. 2019)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from engine.data.text_corpus import load_corpus
from engine.errors import InvalidTask
from engine.events import Progress, Report
from engine.language_training import LanguageTraining
from engine.task import param, with_default
from engine.training import Learner, TrainingTask

TOKENIZERS = ("bpe", "characters")


@dataclass(frozen=True)
class TrainLanguageModel(LanguageTraining):
    """Learns to predict the next token of the text; what it predicts again and again is writing."""

    title: ClassVar[str] = "Language model"
    summary: ClassVar[str] = "Learn to write like a text, from nothing."

    num_layers: int = param(
        4,
        label="Layers",
        help="More layers write better and learn more slowly.",
        minimum=1,
        maximum=64,
    )
    num_heads: int = param(
        4,
        label="Heads",
        help="Places in the text that a layer looks at together. Width must be a multiple.",
        minimum=1,
        maximum=64,
    )
    width: int = param(
        128,
        label="Width",
        help="Numbers that stand for a token. Twice the width writes better and takes up to four "
        "times as long.",
        minimum=8,
        maximum=4096,
    )
    dropout: float = param(
        0.1,
        label="Dropout",
        help="The part of the connections that rest in a step, against learning by heart. More "
        "for short texts, 0 for long ones.",
        minimum=0.0,
        maximum=0.9,
    )
    tokenizer: str = param(
        "bpe",
        label="Tokens",
        help="bpe learns frequent pieces of words from the text; characters reads it letter by "
        "letter, which takes more steps.",
        choices=TOKENIZERS,
        advanced=True,
    )
    vocab_size: int = param(
        1024,
        label="Vocabulary",
        help="How many different pieces bpe learns. More make longer pieces; too many for a short "
        "text are learned badly.",
        minimum=257,
        maximum=65_536,
        advanced=True,
    )
    batch_size: int = with_default(TrainingTask, "batch_size", 16)
    max_steps: int = with_default(TrainingTask, "max_steps", 2000)
    sample_every: int = with_default(TrainingTask, "sample_every", 100)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width % self.num_heads:
            raise InvalidTask(
                "width",
                f"A width of {self.width} cannot be shared equally by {self.num_heads} heads.",
                f"Choose a multiple of {self.num_heads}.",
            )

    def learner(self, report: Report) -> Learner:
        from engine.libraries import importing

        corpus = load_corpus(self.dataset, report)
        report(Progress(0, None, "loading the libraries"))
        with importing():
            from engine.models import small_gpt, text_tokenizer
        from engine.trainers.language_learner import LanguageLearner

        report(Progress(0, None, "learning the tokenizer"))
        texts = (document.text for document in corpus.training)
        tokenizer = text_tokenizer.train_tokenizer(texts, self.tokenizer, self.vocab_size)
        config = small_gpt.SmallGptConfig(
            len(tokenizer),
            self.block_size,
            self.num_layers,
            self.num_heads,
            self.width,
            self.dropout,
            tokenizer.eos_token_id,
        )
        return LanguageLearner(self, small_gpt.build(config), tokenizer, corpus, report)
