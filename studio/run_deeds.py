"""What a person does with a run beyond play and stop: tune it, roll back, branch, train further."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from engine import files, folders, registry
from engine.alarms.alarm import Remedy
from engine.branching import branch
from engine.errors import EngineError
from engine.runs import RunFolder
from engine.task import Field, Task
from engine.worker import Job
from studio.background import Background, attempt
from studio.run_control import RunControl
from studio.widgets.run_page import RunPage


class RunDeeds(QObject):
    """Does what the page of a run asks for, to the run of `control`."""

    job_made = Signal(object)  # a Job to submit
    run_made = Signal(object)  # a RunFolder that was branched off
    asked = Signal()  # something was sent to the run
    failed = Signal(object)  # an EngineError

    def __init__(self, page: RunPage, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.control: RunControl | None = None
        self._page = page
        self._background = Background(self)
        page.train_further.connect(self._train_further)
        page.part_step.connect(lambda part: self._send("step", part=part))
        page.value_set.connect(self._set)
        page.remedy_chosen.connect(self._remedy)
        page.roll_back_requested.connect(self._roll_back)
        page.branch_requested.connect(self._branch)
        page.monitor.timeline.step_changed.connect(self.show)

    def show(self) -> None:
        """Bring what the page offers up to date with what the run is now."""
        control, page = self.control, self._page
        if control is None or control.state is None:
            return
        state = control.state
        live = self._live_fields()
        if state.newer:
            page.say(
                self.tr(
                    "This run was made by a newer version of Atelier. It can be watched here; to "
                    "go on with it, use that version."
                )
            )
        page.live.set_fields(live)
        page.live.set_values(control.live_values)
        page.live.set_running(control.busy)
        page.transport.set_tunable(bool(page.live.names))
        page.transport.set_parts(state.names("parts"))
        labels = {field.name: field.param.label for field in live}
        page.alarm.show_alarms(control.events.alarms, labels, state.checkpoints)
        can_go_back = not state.newer and (control.listening or not control.busy)
        cursor = None if page.monitor.timeline.live else page.monitor.timeline.step
        page.transport.checkpoint.show_checkpoint(state.checkpoints, cursor, can_go_back)

    def _live_fields(self) -> list[Field]:
        """Those that the run names and this version knows."""
        if self.control is None or self.control.state is None or self.control.state.newer:
            return []
        state = self.control.state
        names = set(state.names("live"))
        if not names or state.task not in registry.task_names():
            return []
        return [f for f in registry.task_class(state.task).fields() if f.name in names]

    def _send(self, command: str, **details: object) -> None:
        if self.control:
            self._page.say("")
            self.control.send(command, **details)
            self.asked.emit()

    def _set(self, name: str, value: float) -> None:
        self._send("set", name=name, value=value)

    # ------------------------------------------------------------------ back, aside and on

    def _remedy(self, remedy: Remedy) -> None:
        """Back first: a rate that is set before would be taken back with all the rest."""
        control = self.control
        if control is None:
            return
        self._page.alarm.put_away()
        listening = control.listening
        if remedy.step is not None and listening:
            self._send("roll_back", step=remedy.step)
        for name, value in remedy.changes.items():
            self._set(name, value)
        if listening:
            return
        if remedy.step is not None:
            self._resume(control.total, remedy.step)
        elif control.resumable:
            self._page.further.open()

    def _roll_back(self, step: int) -> None:
        control = self.control
        if control is None:
            return
        if control.listening:
            self._send("roll_back", step=step)
        else:
            self._resume(max(control.total, step + 1), step)

    def _branch(self, step: int) -> None:
        """The new run waits where it begins: its values can be changed before it goes on."""
        control = self.control
        if control is None or control.state is None:
            return
        source, kind = control.run, control.state.task
        out = files.new_path(folders.runs(), f"{kind}-{files.timestamp()}", "")
        self._page.say(self.tr("Copying the checkpoint of step {step}…").format(step=f"{step:,}"))
        self._background.run(lambda: attempt(lambda: branch(source, step, out)), self._branched)

    def _branched(self, made: RunFolder | EngineError) -> None:
        self._page.say("")
        if isinstance(made, EngineError):
            self.failed.emit(made)
            return
        self.run_made.emit(made)
        self._page.say(self.tr("A new run. Change its values if you like, then train further."))

    def _train_further(self, more_steps: int) -> None:
        """From the newest checkpoint on disk: a run that just stopped may have saved one since."""
        if self.control:
            newest = max((step for step, _ in self.control.run.checkpoints()), default=0)
            self._resume(newest + more_steps)

    def _resume(self, max_steps: int, step: int = 0) -> None:
        control = self.control
        if control is None or control.state is None:
            return
        asked = {"max_steps": max_steps, "resume": True, "resume_step": step}
        try:
            task: Task = registry.task_class(control.state.task).from_dict(
                {**control.state.fields, **asked}
            )
        except EngineError as error:
            self.failed.emit(error)
            return
        self.job_made.emit(Job(task, control.run.path))
