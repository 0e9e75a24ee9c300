"""What can be made of the run on the page, beside steering it: a film."""

from __future__ import annotations

from PySide6.QtCore import QObject

from engine.runs import RunFolder
from engine.worker import Engine
from studio.actions import Command
from studio.timelapse_export import TimelapseExport
from studio.widgets.run_page import RunPage


class RunStudies(QObject):
    """All of them run on `engine`, so that a training need not end for them."""

    def __init__(self, page: RunPage, engine: Engine, parent: QObject) -> None:
        super().__init__(parent)
        self._timelapse = TimelapseExport(engine, self)
        page.monitor.add_below(self._timelapse.bar)
        page.monitor.film_requested.connect(self._timelapse.bar.open)

    def set_run(self, run: RunFolder) -> None:
        """Another run is on the page."""
        self._timelapse.set_run(run.path)

    def actions_table(self) -> list[Command]:
        film = self._timelapse.bar.open
        return [
            Command("film", self.tr("Export timelapse…"), "Ctrl+Shift+E", "download", film),
        ]
