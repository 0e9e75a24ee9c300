"""The one training loop: steps, metrics, samples, checkpoints, control, exact resume."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from engine import checkpoints, distributed, files
from engine.errors import Cancelled, EngineError, FileError, InvalidTask
from engine.runs import COMMANDS, RunFolder
from engine.task import Metric, Notice, Progress, Report, SampleGrid, Saved

if TYPE_CHECKING:
    from engine.training import Learner, TrainingTask

HEARTBEAT_EVERY = 1.0  # seconds
PAUSE_POLL = 0.05  # seconds between looks at the control folder while paused


class Loop:
    """One training: from the first or the resumed step to the last.

    `seen` is the number of the last command that was there before this training began.
    """

    def __init__(
        self, task: TrainingTask, learner: Learner, run: RunFolder, report: Report, seen: int
    ) -> None:
        self.task = task
        self.learner = learner
        self.folder = run
        self.report = report
        self.step = 0
        self.saved_step: int | None = None
        self.paused = False
        self.stopped = False
        self.ended = False
        self.in_step = False
        self.single_steps = 0  # to be made although paused
        self.command = seen
        self.clock = _Clock()

    def run(self) -> None:
        self.step = self._restore()
        if distributed.count() > 1:
            distributed.from_first(self._state())
        try:
            self._run()
        finally:
            if not self.ended:
                with suppress(FileError):  # what ended the training says more
                    self.folder.beat("failed", self.step)

    def _run(self) -> None:
        self.folder.beat("running", self.step)
        try:
            self._learn()
        except Cancelled:
            self._end("stopped")
            raise
        self._end("stopped" if self.stopped else "finished")

    def _learn(self) -> None:
        # A run that was stopped between a step and its sample draws it now.
        if self._due(self.task.sample_every) and not self.folder.has_sample(self.step):
            self._sample()
        self.clock.start()
        while self.step < self.task.max_steps:
            self.report(Progress(self.step, self.task.max_steps, "learning"))
            self._obey()
            if self.stopped:
                return
            distributed.say(self.step + 1)
            self.in_step = True
            values = distributed.mean(self.learner.step(self.step + 1))
            self.in_step = False
            self._check_finite(values)
            self.step += 1
            self.clock.tick()
            self._record(values)
            self.folder.beat("running", self.step, HEARTBEAT_EVERY)

    def _due(self, every: int) -> bool:
        return self.step % every == 0

    def _record(self, values: Mapping[str, float]) -> None:
        task, last = self.task, self.step == self.task.max_steps
        if self._due(task.log_every) or self.step == 1 or last:
            measured = {**values, "steps_per_second": self.clock.steps_per_second()}
            self.folder.log(self.step, measured)
            self.report(Metric(self.step, measured))
        if self._due(task.sample_every) or last:
            self._sample()
        if self._due(task.checkpoint_every):
            self._save()

    def _check_finite(self, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            if not math.isfinite(value):
                self.folder.log_event(self.step + 1, f"{name} became {value}")
                safe = (
                    "Nothing was saved yet."
                    if self.saved_step is None
                    else f"The checkpoint of step {self.saved_step} is safe."
                )
                raise EngineError(
                    f"Training stopped at step {self.step + 1}: {name} became {value}.",
                    f"{safe} Begin another run with a lower learning rate.",
                )

    # ------------------------------------------------------------------ control

    def _obey(self) -> None:
        """Do what the control folder asks; while paused, wait here with everything loaded."""
        self._take_commands()
        while self.paused and not self.stopped and not self.single_steps:
            self.report(Progress(self.step, self.task.max_steps, "paused"))
            self.folder.beat("paused", self.step, HEARTBEAT_EVERY)
            distributed.say(distributed.WAIT)
            time.sleep(PAUSE_POLL)
            self.clock.start()
            self._take_commands()
        self.single_steps = max(0, self.single_steps - 1)

    def _take_commands(self) -> None:
        for number, command in self.folder.commands_after(self.command):
            self.command = number
            self._carry_out(command)
            known = command in COMMANDS
            self.folder.log_event(self.step, f"{command if known else 'not understood'} #{number}")

    def _carry_out(self, command: str) -> None:
        if command == "save":
            self._save()
        elif command == "sample":
            self._sample()
        elif command == "stop":
            self.stopped = True
        elif command == "pause":
            self.paused = True
        elif command == "step":
            self.paused = True
            self.single_steps += 1
        elif command == "resume":
            self.paused = False
            self.single_steps = 0

    # ------------------------------------------------------------------ keeping

    def _sample(self) -> None:
        path = self.folder.save_sample(self.step, self.learner.sample())
        self.report(SampleGrid(self.step, path))

    def _save(self) -> None:
        if self.saved_step == self.step:
            return
        checkpoints.save(self.folder.checkpoint_path(self.step), self.step, self._state())
        self.saved_step = self.step
        # One with a higher number is a damaged one that was passed over: it must not push out ours.
        older = [path for step, path in self.folder.checkpoints() if step <= self.step]
        for path in older[: -self.task.keep_checkpoints]:
            files.remove_folder(path)

    def _state(self) -> checkpoints.State:
        return {**self.learner.state(), "rng": _random_state()}

    def _restore(self) -> int:
        """The step from which to go on; damaged checkpoints are passed over and named."""
        for step, path in reversed(self.folder.checkpoints()):
            try:
                _, state = checkpoints.load(path)
            except FileError as error:
                self.report(Notice(f"{error.message} Going on from the checkpoint before it."))
                continue
            if step > self.task.max_steps:
                raise InvalidTask(
                    "max_steps",
                    f"{self.folder.path} is at step {step} already, beyond {self.task.max_steps}.",
                    "Ask for more steps.",
                )
            _load_state(self.learner, state)
            self.folder.drop_metrics_after(step)
            self.folder.log_event(step, "resumed")
            self.saved_step = step
            return step
        self.folder.drop_metrics_after(-1)
        return 0

    def _end(self, state: str) -> None:
        """Stop keeps the work: whatever the ending, the last step is on disk."""
        self._save()
        self.folder.log_event(self.step, state)
        self.folder.beat(state, self.step)
        self.ended = True
        if not self.in_step:  # else the others cannot listen; they end with this process
            distributed.say(distributed.END)
        if state == "finished":
            self.report(Progress(self.step, self.task.max_steps, state))
        self.report(Saved(self.folder.path))


class _Clock:
    """Steps a second since training started or went on after a pause."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        self.began = time.perf_counter()
        self.steps = 0

    def tick(self) -> None:
        self.steps += 1

    def steps_per_second(self) -> float:
        return self.steps / max(time.perf_counter() - self.began, 1e-9)


def follow(learner: Learner, report: Report) -> None:
    """What every process but the first does: the steps that it is told to, until the end."""
    _load_state(learner, distributed.from_first())
    stop = False
    while (step := distributed.listen(stop)) != distributed.END:
        if step != distributed.WAIT:
            distributed.mean(learner.step(step))
        try:
            report(Progress(step, None, "following"))
        except Cancelled:
            stop = True  # the first process hears of it before the next step, and saves the work


def _load_state(learner: Learner, state: dict[str, Any]) -> None:
    _set_random_state(state.pop("rng"))
    learner.load_state(state)


def _random_state() -> dict[str, Any]:
    """Where torch's default generators stand, on the CPU and on the GPU that is used."""
    import torch

    gpu = [torch.cuda.get_rng_state()] if torch.cuda.is_available() else []
    return {"torch": torch.get_rng_state(), "cuda": gpu}


def _set_random_state(state: Mapping[str, Any]) -> None:
    import torch

    torch.set_rng_state(state["torch"])
    if state["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["cuda"][0])
