"""What trainers of language models share: the text, the optimizer, when to measure and to stop."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.data.text_corpus import SHAKESPEARE, corpus_names
from engine.schedules import SCHEDULES
from engine.task import param
from engine.training import TrainingTask

MEASURED_TOKENS = 16_384
"""Of the held-out text, at most, at each measurement…"""
MEASURED_PART = 5
"""… and at most one for so many that were learned from since the last, but for the least."""
MEASURED_BLOCKS = 8


@dataclass(frozen=True)
class LanguageTraining(TrainingTask):
    """A task that learns to continue text."""

    dataset: str = param(
        SHAKESPEARE,
        label="Text",
        help="What to learn to write like: the embedded plays and sonnets, a text file in UTF-8, a "
        "folder of .txt and .md files, or JSONL with text, prompt and completion, or messages. A "
        "twentieth is held out to measure with.",
        choices=corpus_names,
        editable=True,
        kind="file",
        required=True,
    )
    block_size: int = param(
        128,
        label="Block size",
        help="Tokens that are read at once. Longer blocks learn longer connections; a step takes "
        "longer in proportion, and needs more memory.",
        minimum=2,
        maximum=32_768,
        unit="tokens",
    )
    learning_rate: float = param(
        1e-3,
        label="Learning rate",
        help="How far the weights move in a step. Too high: the loss jumps; too low: it hardly "
        "falls.",
        minimum=0.0,
        maximum=1.0,
        live=True,
    )
    patience: int = param(
        8,
        label="Patience",
        help="Ends the training after so many measurements without a better val_loss, which means "
        "that it only learns by heart from there on. The best weights are kept. 0 trains to the "
        "last step and keeps the last weights alone.",
        minimum=0,
        maximum=10_000,
    )
    validate_every: int = param(
        100,
        label="Validate every",
        help="Steps between two measurements of val_loss; made where the curves get a point.",
        minimum=1,
        maximum=1_000_000,
        advanced=True,
        unit="steps",
    )
    schedule: str = param(
        "cosine",
        label="Schedule",
        help="How the learning rate falls to zero until the last step: cosine slowly at both ends, "
        "linear evenly, constant not at all.",
        choices=SCHEDULES,
        advanced=True,
    )
    warmup_steps: int = param(
        50,
        label="Warmup",
        help="Steps in which the learning rate rises from zero, so that the first ones break "
        "nothing.",
        minimum=0,
        maximum=1_000_000,
        advanced=True,
        unit="steps",
    )
    weight_decay: float = param(
        0.1,
        label="Weight decay",
        help="Pulls the weights towards zero, against learning by heart.",
        minimum=0.0,
        maximum=10.0,
        advanced=True,
    )
    grad_clip: float = param(
        1.0,
        label="Gradient limit",
        help="A gradient longer than this is shortened to it, so that one odd batch breaks "
        "nothing. 0 sets no limit.",
        minimum=0.0,
        maximum=1e6,
        advanced=True,
    )
    gradient_accumulation_steps: int = param(
        1,
        label="Batches in a step",
        help="Adds up the gradients of so many batches before the weights move: as a larger batch, "
        "in the memory of a small one.",
        minimum=1,
        maximum=4096,
        advanced=True,
    )
    sample_prompts: str = param(
        "",
        label="Sample prompts",
        help="Beginnings that are continued at each sample, one per line, so that you read it "
        "learn. Empty lets it begin by itself.",
        kind="text",
        advanced=True,
    )

    def __post_init__(self) -> None:
        """A relative path becomes absolute, so that the run can go on from anywhere."""
        super().__post_init__()
        if self.dataset not in corpus_names():
            path = Path(self.dataset).expanduser().absolute()
            object.__setattr__(self, "dataset", str(path))

    @property
    def rate(self) -> float:
        """The learning rate at the top of the schedule."""
        return self.learning_rate


def measured_tokens(task: LanguageTraining, block_size: int) -> int:
    """About how many tokens of the held-out text val_loss is measured on."""
    rows = task.batch_size * task.gradient_accumulation_steps
    learned = rows * block_size * task.validate_every // MEASURED_PART
    return min(MEASURED_TOKENS, max(learned, MEASURED_BLOCKS * block_size))
