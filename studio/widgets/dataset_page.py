"""The page of a dataset: what is in it, what is wrong with it, a grid of its images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QProgressBar,
    QPushButton,
    QSplitter,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from engine.events import Progress
from studio import theme
from studio.widgets.error_box import ErrorBox
from studio.widgets.sample_grid import SampleGridView

Rows = Sequence[tuple[str, str]]


class DatasetPage(QWidget):
    """`back_requested` puts it away; what is being looked through then is given up."""

    back_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = QLabel()
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        theme.set_role(self._title, "title")
        self.back = QPushButton(theme.icon("undo-2"), self.tr("Back to training"))
        self.back.setToolTip(self.tr("Put the dataset away and show the training again"))
        self.back.clicked.connect(self.back_requested)
        self.errors = ErrorBox()
        self._bar = QProgressBar()
        self._bar.setAccessibleName(self.tr("Progress of looking at the images"))
        self._facts = QTreeWidget()
        self._facts.setColumnCount(2)
        self._facts.setHeaderHidden(True)
        self._facts.setAccessibleName(self.tr("What is in the dataset"))
        self._facts.header().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self.grid = SampleGridView(self.tr("Some of the images appear here."))
        self.grid.setContentsMargins(theme.SPACING, 0, 0, 0)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self._facts)
        splitter.addWidget(self.grid)
        splitter.setSizes([1000, 900])
        header = QHBoxLayout()
        header.setSpacing(theme.SPACING)
        header.addWidget(self._title, 1)
        header.addWidget(self.back)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*(2 * theme.SPACING,) * 4)
        layout.setSpacing(theme.SPACING)
        layout.addLayout(header)
        layout.addWidget(self.errors)
        layout.addWidget(self._bar)
        layout.addWidget(splitter, 1)
        self.setFocusProxy(self._facts)

    def begin(self, name: str) -> None:
        """Another dataset is being looked at."""
        self._title.setText(self.tr("What is in {dataset}").format(dataset=name))
        self.errors.hide()
        self._facts.clear()
        self.grid.clear()
        self._bar.setRange(0, 0)
        self._bar.show()

    def show_progress(self, progress: Progress) -> None:
        self._bar.setRange(0, progress.total or 0)
        self._bar.setValue(progress.step)

    def end(self) -> None:
        self._bar.hide()

    def show_report(self, report: Mapping[str, Any], grid: Path | None) -> None:
        """What `inspect_dataset` has written."""
        self._facts.clear()
        count = report["images"]
        self._add(self.tr("Images"), f"{count:,}")
        self._add(self.tr("Sizes"), *_counted(report["sizes"]))
        self._add(self.tr("Modes"), *_counted(report["modes"]))
        broken = [(entry["file"], entry["why"]) for entry in report["broken"]]
        self._add(self.tr("Broken files, left out"), f"{report['broken_count']:,}", broken)
        same = [(group[0], "  =  ".join(group[1:])) for group in report["duplicates"]]
        self._add(self.tr("Exact duplicates"), f"{report['duplicate_count']:,}", same)
        near = [(first, second) for first, second in report["near_duplicates"]]
        self._add(self.tr("Near duplicates"), f"{report['near_duplicate_count']:,}", near)
        captions = [(entry["file"], entry["caption"]) for entry in report["captions"]]
        self._add(self.tr("With captions"), f"{report['captioned']:,}", captions)
        if grid:
            self.grid.show_sample(grid, self.tr("Some of the images, evenly over the dataset"))

    def _add(self, fact: str, value: str, rows: Rows = ()) -> None:
        """A line that opens where there is more to it; what is wrong is open from the start."""
        item = QTreeWidgetItem(self._facts, [fact, value])
        for name, what in rows:
            child = QTreeWidgetItem(item, [name, what])
            child.setToolTip(0, name)
            child.setToolTip(1, what)
        item.setExpanded(0 < len(rows) <= 8)


def _counted(counts: Mapping[str, int]) -> tuple[str, Rows]:
    """One value is told in its line, several below it."""
    if len(counts) == 1:
        return next(iter(counts)), ()
    return str(len(counts)), [(name, f"{count:,}") for name, count in counts.items()]
