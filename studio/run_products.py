"""What can be made of the run on the page: a film, a filmstrip, numbers, a log for TensorBoard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QToolButton

from engine.trained_models import TASK as TEXT_TO_IMAGE
from engine.worker import Engine
from studio.actions import Command
from studio.run_follower import RunUpdate
from studio.run_task import RunTask
from studio.widgets.run_monitor import RunMonitor
from studio.widgets.run_task_bar import Words

MEASURED = ("train_gan", "train_vae", "train_diffusion")
"""Trainers whose pictures can be compared with real ones."""


def by_its_name(run: Path) -> dict[str, Any]:
    return {"model": run.name}


class RunProducts(QObject):
    """A tool beside the timeline for each, and under it the bar that it opens."""

    def __init__(self, monitor: RunMonitor, engine: Engine, parent: QObject) -> None:
        super().__init__(parent)
        self._engine = engine
        self._tasks = {
            "film": self._film(),
            "filmstrip": self._filmstrip(),
            "quality": self._quality(),
            "tensorboard": self._tensorboard(),
        }
        self._trainer = ""
        self._tools: dict[str, QToolButton] = {}
        for command in self.actions_table():
            monitor.add_below(self._tasks[command.id].bar)
            self._tools[command.id] = monitor.add_tool(
                command.icon, command.text.removesuffix("…"), self._tool_tip(command.id)
            )
            self._tools[command.id].clicked.connect(command.slot)
        self._offer()

    def task(self, name: str) -> RunTask:
        """The one that is called so: film, filmstrip, quality or tensorboard."""
        return self._tasks[name]

    def set_run(self, run: Path) -> None:
        for task in self._tasks.values():
            task.set_run(run)

    def show_update(self, update: RunUpdate) -> None:
        """The trainer says what can be made of its runs."""
        if update.state.task != self._trainer:
            self._trainer = update.state.task
            self._offer()

    def actions_table(self) -> list[Command]:
        return [
            Command(
                "film",
                self.tr("Export timelapse…"),
                "Ctrl+Shift+E",
                "film",
                lambda: self._open("film"),
            ),
            Command(
                "filmstrip",
                self.tr("Draw filmstrip…"),
                "Ctrl+Shift+D",
                "images",
                lambda: self._open("filmstrip"),
            ),
            Command(
                "quality",
                self.tr("Measure quality…"),
                "Ctrl+Shift+Q",
                "gauge",
                lambda: self._open("quality"),
            ),
            Command(
                "tensorboard",
                self.tr("Export for TensorBoard…"),
                "Ctrl+Shift+B",
                "chart-line",
                lambda: self._open("tensorboard"),
            ),
        ]

    def _offered(self, name: str) -> bool:
        if name == "quality":
            return self._trainer in MEASURED
        return name != "filmstrip" or self._trainer == TEXT_TO_IMAGE

    def _offer(self) -> None:
        for name, tool in self._tools.items():
            tool.setVisible(self._offered(name))

    def _open(self, name: str) -> None:
        """One at a time: they would push the curves away."""
        if not self._offered(name):
            return
        for other, task in self._tasks.items():
            if other != name:
                task.bar.hide()
        self._tasks[name].bar.open()

    def _tool_tip(self, name: str) -> str:
        return {
            "film": self.tr("Export the run as GIF, WebP or MP4"),
            "filmstrip": self.tr("Draw one prompt and seed with every checkpoint"),
            "quality": self.tr("KID, precision and recall of the newest checkpoint's pictures"),
            "tensorboard": self.tr("Write curves and samples as TensorBoard reads them"),
        }[name]

    # ------------------------------------------------------------------ each of them

    def _film(self) -> RunTask:
        words = Words(
            "film",
            self.tr("Export"),
            self.tr("Write the film and open the folder it is in"),
            self.tr("Progress of the film"),
        )
        shown = ("file_format", "fps", "max_frames")
        return RunTask(self._engine, "export_timelapse", shown, words, self)

    def _filmstrip(self) -> RunTask:
        words = Words(
            "images",
            self.tr("Draw"),
            self.tr("Draw with each checkpoint and open the folder of the strip"),
            self.tr("Progress of the filmstrip"),
        )
        shown = ("prompt", "num_inference_steps")
        return RunTask(self._engine, "draw_filmstrip", shown, words, self, named=by_its_name)

    def _quality(self) -> RunTask:
        words = Words(
            "gauge",
            self.tr("Measure"),
            self.tr("Draw so many pictures and compare them with real ones"),
            self.tr("Progress of measuring"),
        )
        shown = ("num_samples", "checkpoint")
        return RunTask(self._engine, "evaluate_images", shown, words, self, opens_folder=False)

    def _tensorboard(self) -> RunTask:
        words = Words(
            "chart-line",
            self.tr("Export"),
            self.tr("Write the event file and open the folder it is in"),
            self.tr("Progress of the export"),
        )
        return RunTask(self._engine, "export_tensorboard", ("max_images",), words, self)
