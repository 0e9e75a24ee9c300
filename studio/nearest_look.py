"""Finds the nearest training images of the sample that was clicked: is it learned by heart?"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject

from engine import registry
from engine.events import Event, Metric, Notice, Preview
from engine.runs import RunFolder
from engine.task import Task
from engine.worker import Engine, Job
from studio.images import from_pil
from studio.latest_wish import LatestWish
from studio.run_follower import RunUpdate
from studio.widgets.nearest_bar import NearestBar
from studio.widgets.sample_grid import SampleGridView

TASK = "nearest_images"


class NearestLook(QObject):
    """Listens to the sample grid; the bar under it shows what was found."""

    def __init__(self, grid: SampleGridView, engine: Engine, parent: QObject) -> None:
        super().__init__(parent)
        self._grid = grid
        self._run: RunFolder | None = None
        self._asked: tuple[int, int] | None = None  # step and number of the sample
        self._heard: list[Event] = []
        self._wish = LatestWish(engine, self)
        self._wish.reported.connect(self._heard.append)
        self._wish.ended.connect(self._ended)
        self.bar = NearestBar()
        self.bar.errors.retry.connect(self._look)
        self.bar.closed.connect(self._put_away)
        grid.picked.connect(self._pick)

    def set_run(self, run: RunFolder) -> None:
        self._run, self._asked = run, None
        self._wish.forget()
        self._heard.clear()
        self.bar.hide()
        self._grid.set_cells(0)
        self._grid.set_current_cell(None)

    def show_update(self, update: RunUpdate) -> None:
        """The run says how large its images are."""
        model = update.state.description.get("model")
        size = model.get("image_size") if isinstance(model, dict) else None
        dataset = update.state.fields.get("dataset")
        self._grid.set_cells(size if isinstance(size, int) and isinstance(dataset, str) else 0)

    def _pick(self, path: Path, cell: int) -> None:
        if self._run is None or path.parent != self._run.path / "samples":
            return  # a picture drawn from the run, which is no sample of its timeline
        self._asked = int(path.stem), cell
        self._grid.set_current_cell(cell)
        self._look()

    def _look(self) -> None:
        if self._asked:
            self.bar.begin()
            self._wish.want(self._task)

    def _task(self) -> Task:
        step, cell = self._asked or (0, 0)
        self._heard.clear()  # what was said of another sample
        run = str(self._run.path) if self._run else ""
        fields = {"run_folder": run, "step": step, "index": cell, "save": False}
        return registry.task_class(TASK).from_dict(fields)

    def _ended(self, job: Job) -> None:
        self.bar.end()
        if job.error:
            self.bar.errors.show_error(job.error)
            return
        metrics = [event for event in self._heard if isinstance(event, Metric)]
        if not metrics:
            return  # stopped
        previews = sorted(
            (event for event in self._heard if isinstance(event, Preview)), key=lambda e: e.index
        )
        notices = [event.message for event in self._heard if isinstance(event, Notice)]
        values = metrics[-1].values
        distances = [values[f"distance_{place}"] for place in range(1, len(previews))]
        pictures = [from_pil(preview.image) for preview in previews]
        self.bar.show_found(pictures, distances, values["usual"], " ".join(notices))

    def _put_away(self) -> None:
        self._asked = None
        self._wish.forget()
        self._grid.set_current_cell(None)
