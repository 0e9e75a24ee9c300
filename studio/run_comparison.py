"""Follows the runs whose curves are drawn beside those of the run that is shown."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from engine.errors import FileError
from engine.runs import RunFolder
from studio.run_follower import RunFollower, RunUpdate
from studio.widgets.compared_runs import OTHERS, OWN
from studio.widgets.metric_plot import MetricPlot
from studio.widgets.run_list import RunList


class RunComparison(QObject):
    """Runs are kept for comparison in the list; of those, the plot gets all but the shown one."""

    failed = Signal(object)  # a FileError
    refused = Signal(str)  # why one more run cannot be compared

    def __init__(self, runs: RunList, plot: MetricPlot, parent: QObject) -> None:
        super().__init__(parent)
        self._runs = runs
        self._plot = plot
        self._shown: Path | None = None
        self._kept: dict[Path, RunFolder] = {}
        self._followers: dict[Path, RunFollower] = {}
        runs.compare_toggled.connect(self.toggle)
        runs.refreshed.connect(self._name)
        plot.compared.dismissed.connect(lambda key: self.toggle(RunFolder(Path(key))))

    def show(self, run: RunFolder) -> None:
        """Another run is on the page."""
        self._shown = run.path
        self._arrange()

    def toggle(self, run: RunFolder) -> None:
        """Compare a run, or do so no longer."""
        if run.path in self._kept:
            del self._kept[run.path]
        elif len(self._kept) == len(OTHERS):
            self.refused.emit(
                self.tr(
                    "More than {count} runs beside the one shown could not be told apart. "
                    "Take one away first."
                ).format(count=len(OTHERS))
            )
            return
        else:
            self._kept[run.path] = run
        self._arrange()

    def _arrange(self) -> None:
        """Draw what is kept and not shown, and follow it."""
        wanted = {path: run for path, run in self._kept.items() if path != self._shown}
        for path in [path for path in self._followers if path not in wanted]:
            self._followers.pop(path).deleteLater()
            self._plot.compared.remove(str(path))
        for path, run in wanted.items():
            if path not in self._followers:
                self._plot.compared.add(str(path), self._runs.label(path))
                self._followers[path] = self._follow(run)
        self._name()
        self._runs.set_compared(
            {path: self._plot.compared.color(str(path)) or OWN for path in self._kept}
        )

    def _follow(self, run: RunFolder) -> RunFollower:
        follower = RunFollower(self)
        follower.updated.connect(self._take)
        follower.failed.connect(lambda error: self._lose(run, error))
        follower.follow(run)
        return follower

    def _take(self, update: RunUpdate) -> None:
        self._plot.extend_compared(str(update.run.path), update.columns, afresh=update.rewound)

    def _lose(self, run: RunFolder, error: FileError) -> None:
        """What cannot be read is not compared; why is said once."""
        if run.path in self._kept:
            self.toggle(run)
            self.failed.emit(error)

    def _name(self) -> None:
        """The run that is shown may have appeared in the list only now."""
        if self._shown is not None:
            self._plot.compared.set_own(self._runs.label(self._shown))
