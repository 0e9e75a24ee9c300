"""Walks through what the run on the page can draw, with its newest weights, while it trains too."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from engine import folders, registry
from engine.events import Event, Preview
from engine.live_generator import KINDS
from engine.runs import RunFolder
from engine.task import Task
from engine.worker import Engine, Job
from studio.images import from_pil
from studio.latest_wish import LatestWish
from studio.run_follower import RunUpdate
from studio.widgets.walk_panel import WalkPanel

TASK = "walk_latents"


class Walking(QObject):
    """A picture at a time, in order; `said` is something worth telling on the page."""

    said = Signal(str)

    def __init__(self, engine: Engine, parent: QObject) -> None:
        super().__init__(parent)
        self._engine = engine
        self._run: RunFolder | None = None
        self._step: int | None = None  # of the newest checkpoint
        self._wish = LatestWish(engine, self)
        self._wish.reported.connect(self._hear)
        self._wish.ended.connect(self._ended)
        self.panel = WalkPanel(registry.task_class(TASK))
        self.panel.moved.connect(self._move)
        self.panel.save_requested.connect(self._save)

    def set_run(self, run: RunFolder) -> None:
        self._run, self._step = run, None
        self._wish.forget()
        self.panel.errors.hide()
        self.panel.set_ready(False, self.tr("Reading the run…"))

    def show_update(self, update: RunUpdate) -> None:
        """A newer checkpoint is a newer generator: the same place looks different with it."""
        state = update.state
        if state.task not in KINDS:
            self.panel.set_ready(False, self.tr("A walk leads through what a GAN or a VAE draws."))
        elif state.checkpoint is None:
            why_not = self.tr("The walk begins with the first checkpoint. Save now makes one.")
            self.panel.set_ready(False, why_not)
        elif state.checkpoint != self._step:
            self._step = state.checkpoint
            self.panel.set_ready(True, "")
            self.panel.say(self.tr("Loading the generator…"))
            self._move()

    def _task(self, save: bool = False) -> Task:
        run = str(self._run.path) if self._run else ""
        fields = {"run_folder": run, "save": save, **self.panel.values()}
        return registry.task_class(TASK).from_dict(fields)

    def _move(self) -> None:
        if self._step is not None and self.panel.isVisible():
            self._wish.want(self._task)

    def _hear(self, event: Event) -> None:
        if isinstance(event, Preview):
            step = f"{self._step:,}" if self._step is not None else "?"
            caption = self.tr("Drawn with the weights of step {step}").format(step=step)
            self.panel.show_picture(from_pil(event.image), caption)

    def _ended(self, job: Job) -> None:
        if job.error:
            self.panel.errors.show_error(job.error)
        else:
            self.panel.errors.hide()

    def _save(self) -> None:
        job = Job(self._task(save=True), folders.outputs())
        job.finished.connect(lambda: self._saved(job))
        job.failed.connect(self.panel.errors.show_error)
        self._engine.submit(job)

    def _saved(self, job: Job) -> None:
        self.panel.say(self.tr("Saved {name}").format(name=job.saved[0].name))
