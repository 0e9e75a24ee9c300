"""Train: choose what to learn and on what, watch it learn, steer it, draw from it."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QMainWindow, QStackedWidget, QTabWidget

from engine import files, folders, registry
from engine.errors import EngineError
from engine.events import Event, Metric, Notice, Progress, SampleGrid
from engine.run_sampling import RunSampling
from engine.runs import RunFolder
from engine.task import Task
from engine.worker import Engine, Job
from studio.actions import Command, add_actions
from studio.run_comparison import RunComparison
from studio.run_control import RunControl
from studio.run_deeds import RunDeeds
from studio.run_follower import RunFollower, RunUpdate
from studio.run_in_create import settings_for
from studio.run_studies import RunStudies
from studio.settings import Settings
from studio.widgets.draw_samples import DrawSamples
from studio.widgets.empty_state import EmptyState
from studio.widgets.new_run import NewRun
from studio.widgets.run_list import RunList
from studio.widgets.run_page import RunPage
from studio.widgets.side_dock import LEFT, add_dock

FIRST_TRAINER = "train_gan"
STATUS_EVERY = 100  # milliseconds between two looks of the controls
LIST_EVERY = 3000  # milliseconds between two looks at all runs


class TrainWorkspace(QMainWindow):
    """Trains on `engine`; draws samples on `make`, which need not wait for a training to end."""

    create_requested = Signal(object)  # what Create is to show

    def __init__(self, engine: Engine, settings: Settings, make: Engine | None = None) -> None:
        super().__init__()
        self._engine = engine
        self._make = make or engine
        self._settings = settings
        self._control: RunControl | None = None
        self._heard: set[int] = set()  # jobs whose signals are connected
        self._told: set[int] = set()  # jobs whose error has been shown
        self._follower = RunFollower(self)
        self._follower.updated.connect(self._show_update)
        self._build_centre()
        self._follower.failed.connect(self._show_error)
        self._build_docks()
        self._status_timer = QTimer(self, singleShot=True, interval=STATUS_EVERY)
        self._status_timer.timeout.connect(self._show_status)
        self._list_timer = QTimer(self, interval=LIST_EVERY)
        self._list_timer.timeout.connect(self._look_around)
        self._list_timer.start()
        engine.jobs_changed.connect(self._meet_jobs)
        self._meet_jobs()
        add_actions(self, self.actions_table())

    # ------------------------------------------------------------------ building

    def _build_centre(self) -> None:
        self._empty = EmptyState(
            "brain",
            self.tr("Watch a GAN learn to write digits"),
            self.tr(
                "10,000 handwritten digits are already here. In a few minutes one network learns "
                "to write like them, while another learns to tell its writing from the real one."
            ),
            self.tr("Start"),
        )
        self.page = RunPage()
        self.page.command.connect(self._command)
        self.page.folder_requested.connect(self._open_folder)
        self.page.draw_requested.connect(self._show_drawing)
        self.page.errors.retry.connect(self._retry)
        self._deeds = RunDeeds(self.page, self)
        self._deeds.job_made.connect(self._submit)
        self._deeds.run_made.connect(self.show_run)
        self._deeds.asked.connect(self._asked)
        self._deeds.failed.connect(self._show_error)
        self._pages = QStackedWidget()
        self._pages.addWidget(self._empty)
        self._pages.addWidget(self.page)
        self.setCentralWidget(self._pages)

    def _build_docks(self) -> None:
        tasks = [registry.task_class(name) for name in registry.task_names()]
        trainers = [task for task in tasks if registry.is_training(task)]
        trainers.sort(key=lambda trainer: trainer.name() != FIRST_TRAINER)
        self.new_run = NewRun(trainers)
        self.new_run.start_requested.connect(self._start)
        self._empty.triggered.connect(self.new_run.start)
        self.runs = RunList(folders.runs(), {t.name(): t.title for t in trainers})
        self.runs.chosen.connect(self.show_run)
        self.runs.refreshed.connect(self._show_newest)
        self._comparison = RunComparison(self.runs, self.page.monitor.plot, self)
        self._comparison.failed.connect(self._show_error)
        self._comparison.refused.connect(self.page.say)
        samplers = {task.trainer: task for task in tasks if issubclass(task, RunSampling)}
        self.drawing = DrawSamples(samplers)
        self.drawing.draw_requested.connect(self._draw)
        self._studies = RunStudies(self.page, self._make, self)
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        new = add_dock(self, "train_new", self.tr("New run"), self.new_run, LEFT)
        runs = add_dock(self, "train_runs", self.tr("Runs"), self.runs, LEFT)
        self._draw_dock = add_dock(self, "train_draw", self.tr("Draw"), self.drawing, LEFT)
        self.tabifyDockWidget(new, runs)
        self.tabifyDockWidget(runs, self._draw_dock)
        self._studies.attach(self, self._draw_dock, self._pages, self.new_run)
        new.raise_()

    def actions_table(self) -> list[Command]:
        press, timeline = self.page.transport.press, self.page.monitor.timeline
        copy = self.page.copy_run.copy
        return [
            Command("start", self.tr("Start training"), "Ctrl+Return", "play", self.new_run.start),
            Command("pause", self.tr("Pause or resume"), "Ctrl+P", "pause", lambda: press("main")),
            Command(
                "step", self.tr("Single step"), "Ctrl+.", "step-forward", lambda: press("step")
            ),
            Command("stop", self.tr("Stop training"), "Ctrl+E", "square", lambda: press("stop")),
            Command(
                "sample", self.tr("Sample now"), "Ctrl+G", "image-plus", lambda: press("sample")
            ),
            Command("save", self.tr("Save now"), "Ctrl+S", "save", lambda: press("save")),
            Command("play", self.tr("Timelapse"), "Ctrl+T", "history", timeline.toggle_play),
            Command("live", self.tr("Newest samples"), "Ctrl+L", "clock", timeline.go_live),
            Command("draw", self.tr("Draw samples"), "Ctrl+D", "sparkles", self._show_drawing),
            *self._studies.actions_table(),
            Command("python", self.tr("Copy as Python"), "Ctrl+Alt+C", "terminal", copy),
        ]

    # ------------------------------------------------------------------ the run on the page

    def show_run(self, run: RunFolder) -> None:
        """Watch a run: live, past or of another program."""
        if self._control and self._control.run.path == run.path:
            return
        if self._control:
            self._control.deleteLater()
        self._control = self._deeds.control = RunControl(run, self)
        self._control.unanswered.connect(self._say_unanswered)
        self._control.failed.connect(self._show_error)
        self.page.clear(run.path.name)
        self._pages.setCurrentWidget(self.page)
        self.new_run.set_alone(True)
        self.runs.select(run.path)
        self._comparison.show(run)
        self._studies.set_run(run)
        self._follower.follow(run)
        self._show_status()

    def _show_newest(self) -> None:
        """At first, the newest run, if there is one."""
        if self._control is None and self.runs.paths:
            self.show_run(RunFolder(self.runs.paths[0]))

    def _look_around(self) -> None:
        if self.isVisible():
            self.runs.refresh()

    def _show_update(self, update: RunUpdate) -> None:
        control = self._control
        if control is None:
            return
        before = control.state
        control.read(update)
        self.page.monitor.show_update(update, control.total)
        self.page.set_title(self.runs.title(update.run, update.state), update.run.path.name)
        self.drawing.set_run(update.run.path, update.state.task, control.resumable)
        self._studies.show_update(update)
        self.page.copy_run.set_run(update.run, update.state.task)
        if before is None or before.word != update.state.word:
            self.runs.refresh()
            if control.job is None:
                self.page.explain_end(update.state, [event for _, event in update.marks])
        self._show_status()

    def _show_error(self, error: EngineError) -> None:
        self.page.errors.show_error(error, can_retry=False)

    def _say_unanswered(self) -> None:
        self.page.say(
            self.tr("The run has not answered yet. Is the program that trains it still there?")
        )

    def _open_folder(self) -> None:
        if self._control:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._control.run.path)))

    # ------------------------------------------------------------------ jobs

    def _start(self, task: Task) -> None:
        out = files.new_path(folders.runs(), f"{task.name()}-{files.timestamp()}", "")
        self._submit(Job(task, out))

    def _submit(self, job: Job) -> None:
        self.page.errors.hide()
        self.show_run(RunFolder(job.out))
        self._engine.submit(job)
        self.page.transport.setFocus()

    def _meet_jobs(self) -> None:
        """Listen to each training of the engine, whoever submitted it."""
        for job in self._engine.jobs:
            if job.id not in self._heard and registry.is_training(type(job.task)):
                self._heard.add(job.id)
                job.reported.connect(self._hear)
                job.changed.connect(self._changed)
        self._changed()

    def _hear(self, event: Event) -> None:
        if isinstance(event, Metric | SampleGrid):
            self._follower.refresh()
        elif isinstance(event, Notice):
            self.page.say(event.message)

    def _changed(self) -> None:
        if not self._status_timer.isActive():
            self._status_timer.start()

    def _command(self, command: str) -> None:
        if self._control:
            self.page.say("")
            self._control.send(command)
            self._asked()

    def _asked(self) -> None:
        self._follower.refresh()
        self._show_status()

    def _retry(self) -> None:
        """Once more: from the checkpoint where there is one, else from the beginning."""
        control = self._control
        if control and control.resumable:
            self.page.further.open()
        elif control and control.job:
            self._start(control.job.task)

    def _show_status(self) -> None:
        control = self._control
        if control is None:
            return
        control.job = self._job_of(control.run)
        status = control.status(self.page.monitor.plot.last_value("steps_per_second"))
        self.page.show_status(status)
        self._deeds.show()
        if control.state and control.state.checkpoint is not None:
            self.page.further.offer(control.state.checkpoint, control.total)
        job = control.job
        if job and job.state.ended and job.id not in self._told:
            self._told.add(job.id)
            self._follower.refresh()
            if job.error:
                self.page.errors.show_error(job.error)

    def _job_of(self, run: RunFolder) -> Job | None:
        """The newest job that trains, or trained, this run."""
        trainings = (job for job in reversed(self._engine.jobs) if job.id in self._heard)
        return next((job for job in trainings if job.out == run.path), None)

    # ------------------------------------------------------------------ drawing from a run

    def _show_drawing(self) -> None:
        if told := settings_for(self.drawing.run):
            self.create_requested.emit(told)
        else:
            self._draw_dock.show()
            self._draw_dock.raise_()
            self.drawing.button.setFocus()

    def _draw(self, task: Task) -> None:
        job = Job(task, folders.outputs())
        job.reported.connect(self._drawing_reported)
        job.changed.connect(lambda: self._drawing_changed(job))
        self.drawing.set_busy(True)
        self._make.submit(job)

    def _drawing_reported(self, event: Event) -> None:
        if isinstance(event, Progress):
            self.drawing.show_progress(event)

    def _drawing_changed(self, job: Job) -> None:
        if not job.state.ended:
            return
        self.drawing.set_busy(False)
        if job.error:
            self.drawing.show_error(job.error)
        elif job.saved:
            caption = self.tr("Drawn now: {num_images} images · seed {seed}")
            self.page.monitor.show_drawn(job.saved[0], caption.format(**job.task.to_dict()))
