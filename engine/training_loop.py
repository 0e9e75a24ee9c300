"""The one training loop: steps, metrics, samples, checkpoints, control, exact resume."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from engine import abandoning, checkpoints, distributed, files, live_values
from engine.alarms.watch import Watch
from engine.control import STEERING, Control
from engine.errors import Cancelled, EngineError, FileError, InvalidTask
from engine.events import Metric, Notice, Progress, Report, SampleGrid, Saved
from engine.learner import Learner, Spreading, over_because, parts_of, take_step
from engine.mailbox import Command, written
from engine.runs import RunFolder
from engine.step_clock import StepClock
from engine.training_state import gathered, put_back

if TYPE_CHECKING:
    from engine.training import TrainingTask

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
        self.ended = False
        self.in_step = False
        self.control = Control(run, seen)
        self.watch = Watch()
        self.clock = StepClock()

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
        self._end("stopped" if self.control.stopped else "finished")

    def _learn(self) -> None:
        # A run that was stopped between a step and its sample draws it now.
        if self._due(self.task.sample_every) and not self.folder.has_sample(self.step):
            self._sample()
        self.clock.start()
        while self.step < self.task.max_steps:
            self.report(Progress(self.step, self.task.max_steps, "learning"))
            self._obey()
            if self.control.stopped:
                return
            values = self._take_step(self.control.next_part())
            self._check_finite(values)
            self.step += 1
            self.clock.tick()
            self.watch.see(self.step, values)
            self._record(values)
            self._raise_alarms()
            if self.step < self.task.max_steps and (why := over_because(self.learner)):
                self._end_early(why)
                return
            self.folder.beat("running", self.step, HEARTBEAT_EVERY)

    def _take_step(self, part: str) -> Mapping[str, float]:
        distributed.say(self.step + 1, ("", *parts_of(self.learner)).index(part))
        self.in_step = True
        values = distributed.mean(take_step(self.learner, self.step + 1, part))
        self.in_step = False
        return values

    def _end_early(self, why: str) -> None:
        self.folder.log_event(self.step, why)
        self.report(Notice(why))
        if not self.folder.has_sample(self.step):
            self._sample()

    def _due(self, every: int) -> bool:
        return self.step % every == 0

    def _record(self, values: Mapping[str, float]) -> None:
        task, last = self.task, self.step == self.task.max_steps
        sampled = self._due(task.sample_every) or last
        if sampled:
            values = {**values, **self._spread()}
        if self._due(task.log_every) or self.step == 1 or last:
            measured = {**values, **self.clock.measured()}
            self.folder.log(self.step, measured)
            self.report(Metric(self.step, measured))
        if sampled:
            self._sample()
        if self._due(task.checkpoint_every):
            self._save()

    # ------------------------------------------------------------------ what goes wrong

    def _check_finite(self, values: Mapping[str, float]) -> None:
        alarm = self.watch.not_finite(self.step + 1, values, self.task, self.saved_step)
        if alarm is None:
            return
        self.folder.log_event(self.step + 1, alarm.event, alarm.details())
        safe = (
            "Nothing was saved yet."
            if self.saved_step is None
            else f"The checkpoint of step {self.saved_step} is safe."
        )
        raise EngineError(
            f"Training stopped at step {self.step + 1}: {alarm.event}.",
            f"{safe} Go on from it, or begin another run, with a lower learning rate.",
        )

    def _raise_alarms(self) -> None:
        steps = [step for step, _ in self.folder.checkpoints()] if self.watch.due(self.step) else []
        for event in self.watch.look(self.step, self.task, steps):
            self.folder.log_event(self.step, event.event, event.details())

    # ------------------------------------------------------------------ control

    def _obey(self) -> None:
        """Do what the control folder asks; while paused, wait here with everything loaded."""
        self._take_commands()
        while self.control.waiting:
            self.report(Progress(self.step, self.task.max_steps, "paused"))
            self.folder.beat("paused", self.step, HEARTBEAT_EVERY)
            distributed.say(distributed.WAIT)
            time.sleep(PAUSE_POLL)
            self.clock.start()
            self._take_commands()

    def _take_commands(self) -> None:
        for number, command in self.control.fresh():
            try:
                said, details = self._carry_out(command)
            except InvalidTask as error:
                why = f": {error.message}" if error.message else ""
                self.folder.log_event(self.step, f"not understood #{number}{why}")
            else:
                self.folder.log_event(self.step, f"{said} #{number}", details)

    def _carry_out(self, command: Command) -> tuple[str, dict[str, Any]]:
        """What was done, for people and for programs; raises InvalidTask for nonsense."""
        if command.word == "set":
            return self._set(command)
        if command.word == "roll_back" and command.step is not None:
            return self._roll_back(command.step)
        if command.word not in (*STEERING, "save", "sample") or command.part not in (
            "",
            *parts_of(self.learner),
        ):
            raise InvalidTask("command", "")
        if command.word == "save":
            self._save()
        elif command.word == "sample":
            self._sample()
        else:
            self.control.steer(command)
        return str(command), {}

    def _set(self, command: Command) -> tuple[str, dict[str, Any]]:
        """Go on with another value of a live field."""
        task = live_values.changed(self.task, {command.name: command.value})
        live_values.check_changeable(self.learner, task)
        values = {command.name: getattr(task, command.name)}
        if distributed.count() > 1:
            distributed.say(distributed.CHANGE)
            distributed.from_first(values)
        live_values.give(self.learner, task)
        self.task = task
        return f"{command.name} = {written(values[command.name])}", {"set": values}

    def _roll_back(self, step: int) -> tuple[str, dict[str, Any]]:
        """Go on from an older checkpoint; what lies after it is kept aside, this step as well."""
        came_from = self.step
        try:
            abandoning.check(self.folder, step)
        except FileError as error:
            raise InvalidTask("step", error.message, error.hint) from error
        self._save(also_keep=step)
        _, state = checkpoints.load(self.folder.checkpoint_path(step))
        if distributed.count() > 1:
            distributed.say(distributed.RELOAD)
            distributed.from_first(state)
        abandoning.set_aside_after(self.folder, step)
        self.task = put_back(self.learner, self.task, state)
        self.step = self.saved_step = step
        self.watch = Watch()
        self.clock.start()
        self.control.forget_steps()  # which were asked of what is set aside
        return f"rolled back from step {came_from}", self._told() | {"from": came_from}

    # ------------------------------------------------------------------ keeping

    def _sample(self) -> None:
        path = self.folder.save_sample(self.step, self.learner.sample())
        self.report(SampleGrid(self.step, path))

    def _spread(self) -> dict[str, float]:
        """How different the samples are from each other, as a part of how real ones are."""
        if not isinstance(self.learner, Spreading):
            return {}
        drawn, real = self.learner.spread()
        self.watch.see_spread(self.step, drawn, real)
        return {"sample_diversity": drawn / real} if real > 0 else {}

    def _save(self, also_keep: int | None = None) -> None:
        if self.saved_step == self.step:
            return
        checkpoints.save(self.folder.checkpoint_path(self.step), self.step, self._state())
        self.saved_step = self.step
        # One with a higher number is a damaged one that was passed over: it must not push out ours.
        older = [found for found in self.folder.checkpoints() if found[0] <= self.step]
        for step, path in older[: -self.task.keep_checkpoints]:
            if step != also_keep and step not in self.watch.needed:
                files.remove_folder(path)

    def _state(self) -> checkpoints.State:
        return gathered(self.learner, self.task)

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
            self.task = put_back(self.learner, self.task, state)
            self.folder.drop_metrics_after(step)
            self.folder.log_event(step, "resumed", self._told())
            self.saved_step = step
            return step
        self.folder.drop_metrics_after(-1)
        return 0

    def _told(self) -> dict[str, Any]:
        """For programs that show or repeat the run: the live values, and how far it is to go."""
        values = live_values.live_values(self.task)
        return {"max_steps": self.task.max_steps} | ({"set": values} if values else {})

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
