"""What can be made of the run on the page, beside steering it: a film, a walk, comparisons; and a
look at the data of the next."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QStackedWidget

from engine.runs import RunFolder
from engine.worker import Engine
from studio.actions import Command
from studio.dataset_look import DatasetLook
from studio.nearest_look import NearestLook
from studio.run_follower import RunUpdate
from studio.run_products import RunProducts
from studio.walking import Walking
from studio.widgets.new_run import NewRun
from studio.widgets.run_page import RunPage


class RunStudies(QObject):
    """All of them run on `engine`, so that a training need not end for them."""

    def __init__(self, page: RunPage, engine: Engine, parent: QObject) -> None:
        super().__init__(parent)
        self.products = RunProducts(page.monitor, engine, self)
        self.walking = Walking(engine, self)
        self.nearest = NearestLook(page.monitor.grid, engine, self)
        page.monitor.add_below(self.nearest.bar)
        self.dataset = DatasetLook(engine, self)

    def attach(
        self, window: QMainWindow, beside: QDockWidget, pages: QStackedWidget, new_run: NewRun
    ) -> None:
        """A dock `beside` those that are there, and a page among the others."""
        pages.addWidget(self.dataset.page)
        new_run.look_requested.connect(self.dataset.look)
        self._pages = pages
        self._page_before = pages.currentIndex()
        self.dataset.opened.connect(self._show_dataset)
        self.dataset.closed.connect(lambda: pages.setCurrentIndex(self._page_before))
        self._walk_dock = QDockWidget(self.tr("Walk"), window)
        self._walk_dock.setObjectName("train_walk")
        self._walk_dock.setWidget(self.walking.panel)
        window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, self._walk_dock)
        window.tabifyDockWidget(beside, self._walk_dock)

    def _show_dataset(self) -> None:
        page = self.dataset.page
        if self._pages.currentWidget() is not page:
            self._page_before = self._pages.currentIndex()
        self._pages.setCurrentWidget(page)
        page.setFocus()

    def _walk(self) -> None:
        self._walk_dock.show()
        self._walk_dock.raise_()
        self.walking.panel.setFocus()

    def set_run(self, run: RunFolder) -> None:
        """Another run is on the page."""
        self.products.set_run(run.path)
        self.walking.set_run(run)
        self.nearest.set_run(run)

    def show_update(self, update: RunUpdate) -> None:
        """What is new in the folder of the run."""
        self.products.show_update(update)
        self.walking.show_update(update)
        self.nearest.show_update(update)

    def actions_table(self) -> list[Command]:
        return [
            *self.products.actions_table(),
            Command("walk", self.tr("Walk"), "Ctrl+Shift+W", "move", self._walk),
        ]
