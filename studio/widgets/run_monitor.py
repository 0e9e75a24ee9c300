"""Watches one run: curves and samples side by side, the timeline under them, one cursor."""

from __future__ import annotations

import re
from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QHBoxLayout,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from studio import theme
from studio.run_follower import RunUpdate
from studio.widgets.metric_plot import MetricPlot
from studio.widgets.sample_grid import AHEAD, SampleGridView
from studio.widgets.sample_text import SampleText
from studio.widgets.timeline import Timeline

UNMARKED = ("step", "stop", "sample")  # what follows from these is marked, or not worth a mark


class RunMonitor(QWidget):
    """Shows what a RunFollower reads. Scrubbing moves a line through the curves; a click into the
    curves moves the scrubber."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.plot = MetricPlot()
        self.grid = SampleGridView()
        self.text = SampleText()  # in its place where samples are texts
        self.timeline = Timeline()
        self._samples: dict[int, Path] = {}
        self._steps: list[int] = []
        self._drawn: Path | None = None  # shown in place of a sample grid of the run
        self.plot.step_clicked.connect(self.timeline.go_to)
        self.timeline.step_changed.connect(self._show_step)
        self.timeline.went_live.connect(self.leave_drawn)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.plot)
        splitter.addWidget(self._build_grid_side())
        splitter.setSizes([1000, 900])
        splitter.setStretchFactor(0, 1)
        splitter.setStretchFactor(1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.SPACING)
        layout.addWidget(splitter, 1)
        layout.addLayout(self._build_foot())

    def _build_foot(self) -> QVBoxLayout:
        """The timeline, and what is asked in place about the run as a whole."""
        self._tools = QHBoxLayout()
        self._tools.setSpacing(0)
        row = QHBoxLayout()
        row.setSpacing(theme.SPACING)
        row.addWidget(self.timeline, 1)
        row.addLayout(self._tools)
        self._foot = QVBoxLayout()
        self._foot.setSpacing(theme.SPACING)
        self._foot.addLayout(row)
        return self._foot

    def add_tool(self, icon: str, name: str, tool_tip: str) -> QToolButton:
        """A button beside the timeline."""
        tool = QToolButton()
        tool.setIcon(theme.icon(icon))
        tool.setToolTip(tool_tip)
        tool.setAccessibleName(name)
        theme.set_role(tool, "quiet")
        self._tools.addWidget(tool)
        return tool

    def add_below(self, bar: QWidget) -> None:
        """Under the timeline; it shows and hides itself."""
        self._foot.addWidget(bar)

    def _build_grid_side(self) -> QWidget:
        self._drawn_bar = QWidget()
        bar = QHBoxLayout(self._drawn_bar)
        bar.setContentsMargins(0, 0, 0, 0)
        back = QPushButton(theme.icon("undo-2"), self.tr("Back to the run"))
        back.setToolTip(self.tr("Show the samples of the timeline again"))
        back.clicked.connect(self.leave_drawn)
        show = QPushButton(theme.icon("external-link"), self.tr("Open"))
        show.setToolTip(self.tr("Open the picture in the program for its kind"))
        show.clicked.connect(self._open_drawn)
        bar.addStretch()
        bar.addWidget(back)
        bar.addWidget(show)
        bar.addStretch()
        self._drawn_bar.hide()
        self._samples_side = QStackedWidget()
        self._samples_side.addWidget(self.grid)
        self._samples_side.addWidget(self.text)
        side = QWidget()
        layout = QVBoxLayout(side)
        layout.setContentsMargins(theme.SPACING, 0, 0, 0)
        layout.setSpacing(theme.SPACING)
        layout.addWidget(self._samples_side, 1)
        layout.addWidget(self._drawn_bar)
        return side

    def clear(self) -> None:
        self._drawn = None
        self._drawn_bar.hide()
        self._samples.clear()
        self._steps.clear()
        self.plot.clear()
        self.grid.clear()
        self.text.clear()
        self._samples_side.setCurrentWidget(self.grid)
        self.timeline.clear()

    def show_update(self, update: RunUpdate, total: int) -> None:
        """`total` is the step at which the run will end."""
        if update.rewound:
            self.plot.clear()
        marks = [(step, self._words(event)) for step, event in update.marks]
        self.plot.extend(update.columns, [(step, words) for step, words in marks if words])
        self._samples = dict(update.samples)
        self._steps = list(self._samples)
        self.timeline.set_samples(self._steps, total, update.state.alive)

    def show_drawn(self, path: Path, caption: str) -> None:
        """Show what was drawn or written from the run until the person goes back or scrubs."""
        self._drawn = path
        self._show_sample(path, caption, [])
        self._drawn_bar.show()

    def leave_drawn(self) -> None:
        if self._drawn is None:
            return
        self._drawn = None
        self._drawn_bar.hide()
        if self.timeline.step is not None:
            self._show_step(self.timeline.step)

    def _open_drawn(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._drawn)))

    def _show_step(self, step: int) -> None:
        if self._drawn and self.timeline.live:
            return  # a new sample of the run does not push the drawn picture away
        self._drawn = None
        self._drawn_bar.hide()
        place = self._steps.index(step)
        near = self._steps[place + 1 : place + 1 + AHEAD]
        near += self._steps[max(place - AHEAD, 0) : place]
        caption = self.tr("Step {step} · {place} of {count}").format(
            step=f"{step:,}", place=place + 1, count=len(self._steps)
        )
        self._show_sample(self._samples[step], caption, [self._samples[s] for s in near])
        self.plot.set_position(None if self.timeline.live else step)

    def _show_sample(self, path: Path, caption: str, near: list[Path]) -> None:
        if path.suffix == ".txt":
            self._samples_side.setCurrentWidget(self.text)
            self.text.show_sample(path, caption)
        else:
            self._samples_side.setCurrentWidget(self.grid)
            self.grid.show_sample(path, caption, near)

    def _words(self, event: str) -> str:
        """An event of metrics.jsonl in words; empty when it needs no mark."""
        command = re.fullmatch(r"(.+) #\d+", event)
        if command is None:
            return event
        if command[1].split()[0] in UNMARKED:
            return ""
        return {
            "pause": self.tr("paused"),
            "resume": self.tr("went on"),
            "save": self.tr("saved"),
        }.get(command[1], command[1])
