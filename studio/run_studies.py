"""What can be made of the run on the page, beside steering it: a film, a walk."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow

from engine.runs import RunFolder
from engine.worker import Engine
from studio.actions import Command
from studio.run_follower import RunUpdate
from studio.timelapse_export import TimelapseExport
from studio.walking import Walking
from studio.widgets.run_page import RunPage


class RunStudies(QObject):
    """All of them run on `engine`, so that a training need not end for them."""

    def __init__(self, page: RunPage, engine: Engine, parent: QObject) -> None:
        super().__init__(parent)
        self._timelapse = TimelapseExport(engine, self)
        page.monitor.add_below(self._timelapse.bar)
        page.monitor.film_requested.connect(self._timelapse.bar.open)

        self.walking = Walking(engine, self)

    def add_dock(self, window: QMainWindow, beside: QDockWidget) -> None:
        self._walk_dock = QDockWidget(self.tr("Walk"), window)
        self._walk_dock.setObjectName("train_walk")
        self._walk_dock.setWidget(self.walking.panel)
        window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, self._walk_dock)
        window.tabifyDockWidget(beside, self._walk_dock)

    def _walk(self) -> None:
        self._walk_dock.show()
        self._walk_dock.raise_()
        self.walking.panel.setFocus()

    def set_run(self, run: RunFolder) -> None:
        """Another run is on the page."""
        self._timelapse.set_run(run.path)
        self.walking.set_run(run)

    def show_update(self, update: RunUpdate) -> None:
        """What is new in the folder of the run."""
        self.walking.show_update(update)

    def actions_table(self) -> list[Command]:
        film = self._timelapse.bar.open
        return [
            Command("film", self.tr("Export timelapse…"), "Ctrl+Shift+E", "download", film),
            Command("walk", self.tr("Walk"), "Ctrl+Shift+W", "move", self._walk),
        ]
