"""What a trainer is: a TrainingTask with a Learner. It knows its networks and losses.

The one loop in engine/training_loop.py knows the rest: steps, metrics, checkpoints, control.
"""

from __future__ import annotations

import dataclasses
import os
import platform
import socket
from abc import abstractmethod
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

from engine import abandoning, device, distributed, files, run_lock
from engine.branching import branch
from engine.errors import FileError
from engine.events import Notice, Progress, Report
from engine.following import follow
from engine.learner import Learner as Learner
from engine.learner import parts_of
from engine.live_values import is_changeable, live_fields
from engine.runs import FORMAT, RunFolder
from engine.task import Field, Task, param, seed_param
from engine.training_loop import Loop


def precision_param() -> Any:
    """The precision of a trainer that can compute in half of it."""
    return param(
        "auto",
        label="Precision",
        help="bfloat16 is up to twice as fast where the processor has it, and samples look the "
        "same; float32 is for comparisons. auto asks the processor.",
        choices=("auto", "float32", "bfloat16"),
        advanced=True,
    )


@dataclass(frozen=True)
class TrainingTask(Task):
    """A task that learns. `out` is the run folder itself.

    `torchrun --nproc-per-node N -m engine NAME …` trains on N processes, each with its share of
    every batch. A resumed run is the same bit for bit on as many processes as before. On another
    number it differs by rounding, and by batch norm, which sees the share of one process.
    """

    max_steps: int = param(
        1500,
        label="Steps",
        help="How many optimizer updates to make. More steps, better samples, longer training.",
        minimum=1,
        maximum=100_000_000,
    )
    batch_size: int = param(
        64,
        label="Batch size",
        help="Samples in one step. Larger is steadier and slower, and needs more memory. Several "
        "processes share them, so the result does not depend on their number.",
        minimum=1,
        maximum=65_536,
    )
    seed: int = seed_param()
    log_every: int = param(
        10,
        label="Log every",
        help="Steps between two points of the curves.",
        minimum=1,
        maximum=1_000_000,
        advanced=True,
        unit="steps",
    )
    sample_every: int = param(
        50,
        label="Sample every",
        help="Steps between two sample grids, the pictures of the timeline.",
        minimum=1,
        maximum=1_000_000,
        advanced=True,
        unit="steps",
    )
    checkpoint_every: int = param(
        500,
        label="Save every",
        help="Steps between two checkpoints. A crash costs at most these steps.",
        minimum=1,
        maximum=1_000_000,
        advanced=True,
        unit="steps",
    )
    keep_checkpoints: int = param(
        3,
        label="Checkpoints kept",
        help="Older checkpoints are removed to save space.",
        minimum=1,
        maximum=10_000,
        advanced=True,
    )
    resume: bool = param(
        False,
        label="Resume",
        help="Go on from the newest checkpoint of the run in the folder, with its own settings; "
        "only the number of steps is taken from here.",
        advanced=True,
    )
    resume_step: int = param(
        0,
        label="Resume from",
        help="With resume: the step of the checkpoint to go back to. What lies after it is set "
        "aside in the folder of the run. 0 goes on from the newest.",
        minimum=0,
        maximum=100_000_000,
        advanced=True,
        unit="step",
    )

    branch_from: str = param(
        "",
        label="Branch from",
        help="The folder of a run of the same kind: begin where its checkpoint of the step under "
        "resume_step stands (0: the newest), with its settings. That run is left as it is.",
        kind="folder",
        advanced=True,
    )

    @classmethod
    def fields(cls) -> tuple[Field, ...]:
        """The trainer's own fields first: what is learned matters more than the cadence."""
        shared = {field.name for field in dataclasses.fields(TrainingTask)}
        every = super().fields()
        own = tuple(field for field in every if field.name not in shared)
        return own + tuple(field for field in every if field.name in shared)

    @abstractmethod
    def learner(self, report: Report) -> Learner:
        """Load the data, build the networks. Seeded by the loop before the call."""

    def again(self, out: Path) -> Task:
        again = dataclasses.replace(self, resume=True, resume_step=0, branch_from="")
        return again if RunFolder(out).exists else self

    def run(self, report: Report, out: Path) -> None:
        with distributed.joined():
            if distributed.rank() == 0:
                asked = _branched(self, out) if self.branch_from else self
                with run_lock.held(out):
                    asked._lead(report, RunFolder(out))
            else:
                task = cast(TrainingTask, self.from_dict(distributed.from_first()))
                follow(task, task._prepared(report), report)

    def _lead(self, report: Report, run: RunFolder) -> None:
        if self.resume:
            _continued(self, run)._train(report, run)
        elif run.exists:
            raise FileError(
                f"{run.path} already holds a training run.",
                "Choose another folder, or set resume to true to go on with that run.",
            )
        else:
            self._train(report, run)

    def _train(self, report: Report, run: RunFolder) -> None:
        seen = run.last_command()  # what is asked for while the data loads is still to be done
        if distributed.count() > 1:
            distributed.from_first(self.to_dict())
        learner = self._prepared(report)
        description = _description(self, learner)
        if not run.exists:
            run.create(description)
        elif run.description().get("dataset") != description.get("dataset"):
            report(Notice("The data is not the same as when this run began."))
        Loop(self, learner, run, report, seen).run()

    def _prepared(self, report: Report) -> Learner:
        import torch

        distributed.check_batch_size(self.batch_size)
        device.configure_threads()
        torch.manual_seed(self.seed)
        report(Progress(0, self.max_steps, "loading the data"))
        return self.learner(report)


def _description(task: TrainingTask, learner: Learner) -> dict[str, Any]:
    import torch

    return {
        "format": FORMAT,
        "task": task.name(),
        "fields": task.to_dict(),
        "created": files.timestamp(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__}
        | {"atelier": version("atelier")},
        "threads": torch.get_num_threads(),
        "processes": distributed.count(),
        "platform": platform.platform(),
        "parts": list(parts_of(learner)),
        "live": [f.name for f in live_fields(type(task))] if is_changeable(learner) else [],
        **learner.description(),
    }


def _branched(asked: TrainingTask, out: Path) -> TrainingTask:
    """Make the new run; returns the task that goes on with it."""
    source = RunFolder(Path(asked.branch_from).expanduser())
    _check_kind(asked, source)
    newest = max((step for step, _ in source.checkpoints()), default=0)
    branch(source, asked.resume_step or newest, out)
    return dataclasses.replace(asked, resume=True, resume_step=0, branch_from="")


def _check_kind(asked: TrainingTask, run: RunFolder) -> dict[str, Any]:
    """What run.json says; raises FileError when `asked` cannot go on with that run."""
    if not run.exists:
        raise FileError(
            f"{run.path} holds no training run.",
            "Choose the folder of a run, or set resume to false to begin one there.",
        )
    run.check_format()
    stored = run.description()
    if stored.get("task") != asked.name():
        raise FileError(
            f"{run.path} holds a run of {stored.get('task')}, not of {asked.name()}.",
            "Choose the folder of a run of the same kind.",
        )
    return stored


def _continued(asked: TrainingTask, run: RunFolder) -> TrainingTask:
    """The task that began the run, going on to the number of steps that is asked for now."""
    stored = _check_kind(asked, run)
    beat = run.heartbeat()
    if beat and beat.alive and (beat.pid, beat.host) != (os.getpid(), socket.gethostname()):
        raise FileError(
            f"{run.path} is being trained already, by process {beat.pid} on {beat.host}.",
            "Stop that training first.",
        )
    fields = stored.get("fields")
    if not isinstance(fields, dict):
        raise FileError(f"{run.path / 'run.json'} does not say how it was trained.", "Begin anew.")
    task = type(asked).from_dict({**fields, "max_steps": asked.max_steps, "resume": True})
    run.sweep()
    if asked.resume_step:
        abandoning.set_aside_after(run, asked.resume_step)
    if fields.get("max_steps", 0) < asked.max_steps:
        first = {"first_max_steps": fields.get("max_steps")} | stored  # schedules fell by it
        run.create({**first, "fields": {**fields, "max_steps": asked.max_steps}})
    return cast(TrainingTask, task)
