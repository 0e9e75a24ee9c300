"""The one training loop: steps, metrics, samples, checkpoints, control, exact resume.

A trainer is a TrainingTask with a Learner; it knows its networks and losses, the loop the rest.
"""

from __future__ import annotations

import dataclasses
import math
import platform
import shutil
import time
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from engine import checkpoints, device, files
from engine.errors import Cancelled, EngineError, FileError
from engine.runs import RunFolder
from engine.task import (
    Field,
    Metric,
    Notice,
    Progress,
    Report,
    SampleGrid,
    Saved,
    Task,
    param,
    seed_param,
)

if TYPE_CHECKING:
    from PIL import Image

HEARTBEAT_EVERY = 1.0  # seconds
PAUSE_POLL = 0.05  # seconds between looks at the control folder while paused


class Learner(Protocol):
    """What a trainer brings to the loop."""

    def description(self) -> Mapping[str, Any]:
        """What run.json should say of the data and the networks: hash, count, parameters."""

    def step(self, step: int) -> Mapping[str, float]:
        """One optimizer update; returns what was measured (generator_loss, d_real, …).

        For exact resume everything random comes from torch's default generator (saved with the
        checkpoint) or from generators seeded with (seed, step) or (seed, epoch).
        """

    def sample(self) -> Image.Image:
        """A grid drawn from noise that stays the same through the run; must not touch the RNG."""

    def state(self) -> checkpoints.State:
        """Networks, EMA, optimizers: a tree of tensors and JSON values, a file for each entry."""

    def load_state(self, state: checkpoints.State) -> None:
        """Take back what `state` returned."""


@dataclass(frozen=True)
class TrainingTask(Task):
    """A task that learns. `out` is the run folder itself."""

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
        help="Samples in one step. Larger is steadier and slower, and needs more memory.",
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

    def run(self, report: Report, out: Path) -> None:
        run = RunFolder(out)
        if self.resume:
            _stored_task(self, run)._train(report, run)
        elif run.exists:
            raise FileError(
                f"{run.path} already holds a training run.",
                "Choose another folder, or set resume to true to go on with that run.",
            )
        else:
            self._train(report, run)

    def _train(self, report: Report, run: RunFolder) -> None:
        import torch

        device.configure_threads()
        torch.manual_seed(self.seed)
        report(Progress(0, self.max_steps, "loading the data"))
        learner = self.learner(report)
        if not run.exists:
            run.create(_description(self, learner))
        _Loop(self, learner, run, report).run()


class _Loop:
    """One training: from the first or the resumed step to the last."""

    def __init__(self, task: TrainingTask, learner: Learner, run: RunFolder, report: Report):
        self.task = task
        self.learner = learner
        self.folder = run
        self.report = report
        self.step = 0
        self.saved_step = -1
        self.paused = False
        self.stopped = False
        self.command = run.last_command()
        self.clock = _Clock()

    def run(self) -> None:
        self.step = self._restore()
        try:
            if self.step == 0:
                self._sample()
            self._learn()
        except Cancelled:
            self._end("stopped")
            raise
        except EngineError:
            self.folder.beat("failed", self.step)
            raise
        self._end("stopped" if self.stopped else "finished")

    def _learn(self) -> None:
        self.clock.start()
        while self.step < self.task.max_steps and not self.stopped:
            self.report(Progress(self.step, self.task.max_steps, "learning"))
            self._obey()
            if self.stopped:
                break
            values = self.learner.step(self.step + 1)
            self._check_finite(values)
            self.step += 1
            self.clock.tick()
            self._record(values)
            self.folder.beat("running", self.step, HEARTBEAT_EVERY)

    def _record(self, values: Mapping[str, float]) -> None:
        task, last = self.task, self.step == self.task.max_steps
        if self.step % task.log_every == 0 or self.step == 1 or last:
            measured = {**values, "steps_per_second": self.clock.steps_per_second()}
            self.folder.log(self.step, measured)
            self.report(Metric(self.step, measured))
        if self.step % task.sample_every == 0 or last:
            self._sample()
        if self.step % task.checkpoint_every == 0:
            self._save()

    def _check_finite(self, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            if not math.isfinite(value):
                self.folder.log_event(self.step + 1, f"{name} became {value}")
                raise EngineError(
                    f"Training stopped at step {self.step + 1}: {name} became {value}.",
                    f"The checkpoint of step {max(self.saved_step, 0)} is safe. Resume from it "
                    "with a lower learning rate.",
                )

    # ------------------------------------------------------------------ control

    def _obey(self) -> None:
        """Do what the control folder asks; while paused, wait here with everything loaded."""
        if self._take_commands():
            return  # one single step was asked for
        while self.paused and not self.stopped:
            self.report(Progress(self.step, self.task.max_steps, "paused"))
            self.folder.beat("paused", self.step, HEARTBEAT_EVERY)
            time.sleep(PAUSE_POLL)
            self.clock.start()
            if self._take_commands():
                return

    def _take_commands(self) -> bool:
        """Carry out new commands; True when one step should be made although paused."""
        single = False
        for number, command in self.folder.commands_after(self.command):
            self.command = number
            self.folder.log_event(self.step, f"{command} #{number}")
            if command == "save":
                self._save()
            elif command == "sample":
                self._sample()
            self.stopped = self.stopped or command == "stop"
            self.paused = command in ("pause", "step") or (self.paused and command != "resume")
            single = command == "step"
        return single

    # ------------------------------------------------------------------ keeping

    def _sample(self) -> None:
        path = self.folder.save_sample(self.step, self.learner.sample())
        self.report(SampleGrid(self.step, path))

    def _save(self) -> None:
        import torch

        state = {**self.learner.state(), "rng": {"torch": torch.get_rng_state()}}
        checkpoints.save(self.folder.checkpoint_path(self.step), self.step, state)
        self.saved_step = self.step
        for _, path in self.folder.checkpoints()[: -self.task.keep_checkpoints]:
            shutil.rmtree(path)

    def _restore(self) -> int:
        """The step from which to go on; damaged checkpoints are passed over and named."""
        import torch

        for step, path in reversed(self.folder.checkpoints()):
            try:
                _, state = checkpoints.load(path)
            except FileError as error:
                self.report(Notice(f"{error.message} Going on from the checkpoint before it."))
                continue
            torch.set_rng_state(state.pop("rng")["torch"])
            self.learner.load_state(state)
            self.folder.drop_metrics_after(step)
            self.folder.log_event(step, "resumed")
            self.saved_step = step
            return step
        self.folder.drop_metrics_after(-1)
        return 0

    def _end(self, state: str) -> None:
        """Stop keeps the work: whatever the ending, the last step is on disk."""
        if self.saved_step != self.step:
            self._save()
        self.folder.log_event(self.step, state)
        self.folder.beat(state, self.step)
        if state == "finished":
            self.report(Progress(self.step, self.task.max_steps, state))
        self.report(Saved(self.folder.path))


class _Clock:
    """Steps a second since training started or went on after a pause."""

    def start(self) -> None:
        self.began = time.perf_counter()
        self.steps = 0

    def tick(self) -> None:
        self.steps += 1

    def steps_per_second(self) -> float:
        return self.steps / max(time.perf_counter() - self.began, 1e-9)


def _description(task: TrainingTask, learner: Learner) -> dict[str, Any]:
    import torch

    return {
        "task": task.name(),
        "fields": task.to_dict(),
        "created": files.timestamp(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__}
        | {"atelier": version("atelier")},
        "threads": torch.get_num_threads(),
        "platform": platform.platform(),
        **learner.description(),
    }


def _stored_task(asked: TrainingTask, run: RunFolder) -> TrainingTask:
    """The task that began the run, going on to the number of steps that is asked for now."""
    stored = run.description()
    if stored.get("task") != asked.name():
        raise FileError(
            f"{run.path} holds a run of {stored.get('task')}, not of {asked.name()}.",
            "Choose the folder of a run of the same kind.",
        )
    fields = {**stored.get("fields", {}), "max_steps": asked.max_steps, "resume": True}
    return cast(TrainingTask, type(asked).from_dict(fields))
