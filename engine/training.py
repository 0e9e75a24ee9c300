"""What a trainer is: a TrainingTask with a Learner. It knows its networks and losses.

The one loop in engine/training_loop.py knows the rest: steps, metrics, checkpoints, control.
"""

from __future__ import annotations

import dataclasses
import os
import platform
import socket
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from engine import checkpoints, device, distributed, files
from engine.errors import FileError
from engine.runs import RunFolder
from engine.task import Field, Notice, Progress, Report, Task, param, seed_param
from engine.training_loop import Loop, follow

if TYPE_CHECKING:
    from PIL import Image


class Learner(Protocol):
    """What a trainer brings to the loop."""

    def description(self) -> Mapping[str, Any]:
        """What run.json should say of the data and the networks: hash, count, parameters."""

    def step(self, step: int) -> Mapping[str, float]:
        """One optimizer update; returns what was measured (generator_loss, d_real, …).

        For exact resume everything random comes from torch's default generator (saved with the
        checkpoint) or from generators seeded with (seed, step) or (seed, epoch). For runs on
        several processes it is drawn for the whole batch, of which `distributed.share` takes the
        rows of this process; `distributed.average_gradients` comes before the update.
        """

    def sample(self) -> Image.Image | str:
        """A grid drawn from noise, or texts from prompts, that stay the same through the run.

        Must not touch the RNG.
        """

    def state(self) -> checkpoints.State:
        """Networks, EMA, optimizers: a tree of tensors and JSON values, a file for each entry."""

    def load_state(self, state: checkpoints.State) -> None:
        """Take back what `state` returned."""


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
        return dataclasses.replace(self, resume=True) if RunFolder(out).exists else self

    def run(self, report: Report, out: Path) -> None:
        with distributed.joined():
            if distributed.rank() == 0:
                self._lead(report, RunFolder(out))
            else:
                task = self.from_dict(distributed.from_first())
                follow(cast(TrainingTask, task)._prepared(report), report)

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
        "task": task.name(),
        "fields": task.to_dict(),
        "created": files.timestamp(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__}
        | {"atelier": version("atelier")},
        "threads": torch.get_num_threads(),
        "processes": distributed.count(),
        "platform": platform.platform(),
        **learner.description(),
    }


def _continued(asked: TrainingTask, run: RunFolder) -> TrainingTask:
    """The task that began the run, going on to the number of steps that is asked for now."""
    if not run.exists:
        raise FileError(
            f"{run.path} holds no training run.",
            "Choose the folder of a run, or set resume to false to begin one there.",
        )
    stored = run.description()
    if stored.get("task") != asked.name():
        raise FileError(
            f"{run.path} holds a run of {stored.get('task')}, not of {asked.name()}.",
            "Choose the folder of a run of the same kind.",
        )
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
    if fields.get("max_steps", 0) < asked.max_steps:
        run.create({**stored, "fields": {**fields, "max_steps": asked.max_steps}})
    return cast(TrainingTask, task)
