"""Seconds from a stop to the end of the job, with real models, at every stage of their work.

    QT_QPA_PLATFORM=offscreen python tests/benchmarks/cancel.py

The design promises two seconds. The first loading of a process includes importing the libraries.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication
from PySide6.QtTest import QTest

from engine import device
from engine.events import Event, Progress
from engine.process import Standby
from engine.registry import task_class
from engine.task import Task
from engine.worker import Engine, Job

REPEATS = 3
STEPS = 12

Moment = Callable[[Progress], bool]


def at_step(stage: str, step: int) -> Moment:
    return lambda progress: progress.stage.startswith(stage) and progress.step >= step


DRAW = {"prompt": "red heart", "num_inference_steps": STEPS, "num_images_per_prompt": 8}
TRAIN = {"max_steps": 1000}
CASES: list[tuple[str, str, dict[str, object], Moment]] = [
    ("drawing, loading", "text_to_image", DRAW, at_step("loading", 0)),
    ("drawing, first step", "text_to_image", DRAW, at_step("drawing", 1)),
    ("drawing, middle", "text_to_image", DRAW, at_step("drawing", STEPS // 2)),
    ("drawing, last step", "text_to_image", DRAW, at_step("drawing", STEPS - 1)),
    ("training, loading", "train_gan", TRAIN, at_step("loading", 0)),
    ("training, first step", "train_gan", TRAIN, at_step("learning", 0)),
    ("training, step 20", "train_gan", TRAIN, at_step("learning", 20)),
]


def seconds_to_stop(engine: Engine, task: Task, out: Path, moment: Moment) -> float:
    job = Job(task, out)
    asked: list[float] = []

    def look(event: Event) -> None:
        if isinstance(event, Progress) and moment(event) and not asked:
            asked.append(time.perf_counter())
            job.cancel()

    job.reported.connect(look)
    engine.submit(job)
    while not job.state.ended:
        QTest.qWait(5)
    if not asked:
        raise SystemExit(f"{task.name()} ended before the moment came: {job.error}")
    return time.perf_counter() - asked[0]


def main() -> None:
    device.prepare_environment()
    QCoreApplication(sys.argv)
    standby = Standby()
    engine = Engine("benchmark", standby)
    print(f"{'stop at':22}{'median s':>10}{'max s':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for name, task_name, fields, moment in CASES:
            task = task_class(task_name).from_dict(fields)
            taken = [
                seconds_to_stop(engine, task, Path(folder) / f"{name}-{n}", moment)
                for n in range(REPEATS)
            ]
            print(f"{name:22}{statistics.median(taken):10.2f}{max(taken):8.2f}", flush=True)
    engine.close()
    standby.close()


if __name__ == "__main__":
    main()
