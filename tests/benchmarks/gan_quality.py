"""KID of the default GAN on digits after 60 and 300 seconds of CPU time, beside its anchors.

    python tests/benchmarks/gan_quality.py [--seconds 60 300] [--seeds 3] [--samples 2000]

Each trainer learns with its own settings on the digits; its clock counts the CPU time of the whole
training loop, curves, samples and checkpoints included, but not the loading of the data. What the
sampler of the run draws is compared with 2,000 held-out digits in the classifier's feature space.
Prints a Markdown table: medians over the seeds, and the range of KID.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from engine.device import configure_threads, prepare_environment

prepare_environment()

from engine import registry  # noqa: E402
from engine.errors import Cancelled  # noqa: E402
from engine.events import Event, Notice, Progress, Saved  # noqa: E402
from engine.generators.evaluate_images import EvaluateImages  # noqa: E402

TRAINERS = ("train_gan", "train_vae")
ENDLESS = 10_000_000  # steps: the clock ends a training
LONG = 1_000_000  # steps between checkpoints, so that only the end of a part writes one

Row = dict[str, Any]


class Clock:
    """A report that stops a training when its CPU time is over."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.began: float | None = None
        self.step = 0

    def __call__(self, event: Event) -> None:
        if not isinstance(event, Progress) or event.stage != "learning":
            return
        self.began = self.began or time.process_time()
        self.step = event.step
        if time.process_time() - self.began >= self.seconds:
            raise Cancelled


def learned_for(trainer: str, seed: int, seconds: float, resume: bool, run: Path) -> int:
    """Trains for so many seconds more; returns the step."""
    fields = {"max_steps": ENDLESS, "checkpoint_every": LONG, "seed": seed, "resume": resume}
    clock = Clock(seconds)
    with suppress(Cancelled):
        registry.task_class(trainer).from_dict(fields).run(clock, run)
    return clock.step


def evaluated(run: Path, samples: int, anchors: bool) -> tuple[dict[str, Row], list[str]]:
    """(the qualities by name, what stands beside them) of the newest checkpoint."""
    events: list[Event] = []

    with tempfile.TemporaryDirectory() as out:
        task = EvaluateImages(run_folder=str(run), num_samples=samples, seed=0, anchors=anchors)
        task.run(events.append, Path(out))
        (path,) = [event.path for event in events if isinstance(event, Saved)]
        told = json.loads(path.read_text("utf-8"))
    return told["quality"], [event.message for event in events if isinstance(event, Notice)]


def of_seed(trainer: str, seed: int, moments: Sequence[float], samples: int) -> dict[str, Row]:
    """The qualities of one run after each of the moments, by the name of the row."""
    rows: dict[str, Row] = {}
    title = registry.task_class(trainer).title
    with tempfile.TemporaryDirectory() as folder:
        run, before = Path(folder) / "run", 0.0
        for moment in moments:
            step = learned_for(trainer, seed, moment - before, before > 0, run)
            anchors = trainer == TRAINERS[0] and before == 0
            found, lines = evaluated(run, samples, anchors)
            print(f"{title}, seed {seed}, {moment:g} s: {lines[0]} {lines[-1]}", flush=True)
            rows[f"{title}, {moment:g} s"] = {**found.pop("run"), "step": step}
            rows |= {name.replace("_", " "): row for name, row in found.items()}
            before = moment
    return rows


def line(name: str, rows: Sequence[Row]) -> str:
    """A row of the table: medians over the seeds."""

    def median(key: str) -> float:
        return statistics.median(row[key] for row in rows)

    kids = sorted(1000 * row["kid"] for row in rows)
    steps = f"{median('step'):,.0f}" if "step" in rows[0] else ""
    return (
        f"| {name} | {steps} | {statistics.median(kids):.1f} ± {1000 * median('kid_deviation'):.1f}"
        f" ({kids[0]:.1f} to {kids[-1]:.1f}) | {median('precision'):.2f} | {median('recall'):.2f}"
        f" | {median('density'):.2f} | {median('coverage'):.2f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, nargs="+", default=[60, 300])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--samples", type=int, default=2000)
    options = parser.parse_args()
    configure_threads()
    table: dict[str, list[Row]] = {}
    for trainer in TRAINERS:
        if trainer not in registry.task_names():
            print(f"There is no {trainer} yet.")
            continue
        for seed in range(1, options.seeds + 1):
            found = of_seed(trainer, seed, sorted(options.seconds), options.samples)
            for name, row in found.items():
                table.setdefault(name, []).append(row)
    print("\n| | Steps | KID × 10³ (range over seeds) | Precision | Recall | Density | Coverage |")
    print("|---|---|---|---|---|---|---|")
    for name in sorted(table, key=lambda name: statistics.median(r["kid"] for r in table[name])):
        print(line(name, table[name]))


if __name__ == "__main__":
    main()
