"""Our fine-tuning of a language model against the Trainer of transformers: speed and loss curve.

    python tests/benchmarks/finetune.py [--model NAME] [--steps 10] [--rounds 3] [--method full]

Both begin with the same weights in float32 and see the same blocks of the same text in the same
order, with the same AdamW, schedule and gradient limit, on one thread; without samples, checkpoints
and held-out text, but with a point of the curve at every step. Each runs in a process of its own,
ours as the studio sets it up, the Trainer as any script does; they take turns. A round's number is
the CPU time of its steps after the third, when memory has settled. Read the ratio.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from engine.device import prepare_environment

if "theirs" not in sys.argv:
    prepare_environment()

import torch
from torch.nn import functional
from transformers import (
    Trainer,
    TrainerCallback,
    TrainingArguments,
    get_scheduler,
)

from engine import library
from engine.events import Event, Progress
from engine.language import lora, openable
from engine.runs import MetricsTail, RunFolder
from engine.trainers.finetune_language_model import FinetuneLanguageModel
from engine.trainers.language_learner import LanguageLearner

NEVER = 1_000_000  # steps between samples, checkpoints, measurements
SETTLED = 3  # steps
ROOT = Path(__file__).resolve().parents[2]


class Watch:
    """Counts the CPU time of the steps after the first few."""

    def __init__(self) -> None:
        self.began = 0.0
        self.each = 0.0
        """CPU seconds a step."""

    def look(self, step: int) -> None:
        """After `step` steps."""
        if step == SETTLED:
            self.began = time.process_time()
        elif step > SETTLED:
            self.each = (time.process_time() - self.began) / (step - SETTLED)


def ours(task: FinetuneLanguageModel) -> tuple[float, list[float]]:
    """(CPU seconds a step, losses) of the whole training loop, as the studio runs it."""
    watch = Watch()

    def report(event: Event) -> None:
        if isinstance(event, Progress) and event.stage == "learning":
            watch.look(event.step)

    with tempfile.TemporaryDirectory() as folder:
        run = RunFolder(Path(folder) / "run")
        task.run(report, run.path)
        lines, _ = MetricsTail(run).read()
    return watch.each, [line.values["loss"] for line in lines if line.values]


class Rows(torch.utils.data.Dataset[dict[str, torch.Tensor]]):
    """The blocks of every step, in the order in which our trainer sees them."""

    def __init__(self, learner: LanguageLearner, steps: int) -> None:
        self.rows = torch.cat(
            [torch.from_numpy(learner.blocks.batch(step)) for step in range(1, steps + 1)]
        )

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return {"input_ids": self.rows[index, :-1], "labels": self.rows[index, 1:]}


class InOrder(Trainer):
    """The Trainer, without its shuffling."""

    def _get_train_sampler(self, *_: Any) -> Any:
        return torch.utils.data.SequentialSampler(self.train_dataset)


class Steps(TrainerCallback):
    """Looks at the watch before each step, where our own progress is reported too."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.watch.look(state.global_step)


def loss(outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None) -> torch.Tensor:
    return functional.cross_entropy(outputs.logits.float().flatten(0, 1), labels.flatten())


def theirs(task: FinetuneLanguageModel, rows: Rows) -> tuple[float, list[float]]:
    """As `ours`, of transformers' Trainer."""
    torch.manual_seed(task.seed)
    source = openable.find(task.model, lambda event: None)
    model = openable.open_source(source, torch.float32, lambda event: None).model
    if task.method == "lora":
        settings = lora.LoraSettings(
            task.lora_r, task.lora_alpha, task.lora_dropout, str(source.folder.path)
        )
        model = lora.attach(model, settings)
    model.config.use_cache = False
    trained = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.dim() > 1], "weight_decay": task.weight_decay},
        {"params": [p for p in trained if p.dim() < 2], "weight_decay": 0.0},
    ]
    used = [group for group in groups if group["params"]]
    optimizer = torch.optim.AdamW(used, task.rate, (0.9, 0.95), fused=True)
    schedule = get_scheduler(task.schedule, optimizer, task.warmup_steps, task.max_steps)
    watch = Watch()
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            max_steps=task.max_steps,
            per_device_train_batch_size=task.batch_size,
            max_grad_norm=task.grad_clip or math.inf,
            logging_steps=1,
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            use_cpu=True,
            seed=task.seed,
            remove_unused_columns=False,
        )
        trainer = InOrder(
            model,
            arguments,
            train_dataset=rows,
            optimizers=(optimizer, schedule),
            compute_loss_func=loss,
            callbacks=[Steps(watch)],
        )
        trainer.train()
    found = [float(entry["loss"]) for entry in trainer.state.log_history if "loss" in entry]
    return watch.each, found


def task_of(given: argparse.Namespace) -> FinetuneLanguageModel:
    return FinetuneLanguageModel(
        model=given.model, method=given.method, max_steps=given.steps, warmup_steps=0, seed=1,
        log_every=1, sample_every=NEVER, checkpoint_every=NEVER, validate_every=NEVER, patience=0,
        lora_dropout=0.0,
    )  # fmt: skip


def learn(who: str, task: FinetuneLanguageModel) -> dict[str, Any]:
    """One training in this process."""
    torch.set_num_threads(1)
    learner = task.learner(lambda event: None)
    assert isinstance(learner, LanguageLearner)
    rows, tokens = Rows(learner, task.max_steps), task.batch_size * learner.block_size
    del learner
    seconds, losses = ours(task) if who == "ours" else theirs(task, rows)
    return {"tokens_per_second": tokens / seconds, "losses": losses}


def in_a_process(who: str) -> dict[str, Any]:
    """The same in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, *sys.argv[1:], "--who", who],
        env={**os.environ, "OMP_NUM_THREADS": "1", "ATELIER_THREADS": "1", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=library.STARTER_TEXT_MODEL)
    parser.add_argument("--method", default="full", choices=("full", "lora"))
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--who", choices=("ours", "theirs"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.who:
        print(json.dumps(learn(given.who, task_of(given))))
        return
    ratios = []
    for number in range(1, given.rounds + 1):
        own, other = in_a_process("ours"), in_a_process("theirs")
        ratios.append(own["tokens_per_second"] / other["tokens_per_second"])
        apart = max(abs(a - b) for a, b in zip(own["losses"], other["losses"], strict=True))
        print(
            f"round {number}: ours {own['tokens_per_second']:.1f} tokens a CPU second, Trainer "
            f"{other['tokens_per_second']:.1f}: {ratios[-1]:.2f} ×; losses "
            f"{own['losses'][0]:.3f} … {own['losses'][-1]:.3f}, at most {apart:.1e} apart",
            flush=True,
        )
    print(
        f"{given.method}: {statistics.median(ratios):.2f} × the tokens a second of transformers' "
        f"Trainer (median of {len(ratios)}, {min(ratios):.2f} to {max(ratios):.2f})"
    )


if __name__ == "__main__":
    main()
