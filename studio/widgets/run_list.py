"""The training runs on disk, newest first, with their state; searchable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import (
    QDateTime,
    QLocale,
    QModelIndex,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QFileDialog,
    QLabel,
    QLineEdit,
    QListView,
    QPushButton,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from engine.errors import FileError
from engine.runs import RunFolder, list_runs
from studio import theme
from studio.background import Background
from studio.run_follower import RunState, read_state
from studio.widgets.run_row import CAPTION, COLOR, RUN, SEARCHED, RunRow, RunRows

LABEL = Qt.ItemDataRole.UserRole + 10


@dataclass(frozen=True)
class _Entry:
    run: RunFolder
    state: RunState | None  # None when its files are damaged


class RunList(QWidget):
    """`chosen` fires when a person selects a run; `refresh` reads the folders again, off the GUI
    thread."""

    chosen = Signal(object)  # a RunFolder
    compare_toggled = Signal(object)  # a RunFolder whose curves to draw beside others, or not
    refreshed = Signal()

    def __init__(
        self, folder: Path, titles: Mapping[str, str], parent: QWidget | None = None
    ) -> None:
        """`folder` holds the runs; `titles` are the names of the trainers for people."""
        super().__init__(parent)
        self._folder = folder
        self._titles = titles
        self._attached: list[Path] = []
        self._current: Path | None = None
        self._colors: dict[Path, str] = {}
        self._background = Background(self)
        self._reading = False
        self._search = QLineEdit()
        self._search.setPlaceholderText(self.tr("Search runs"))
        self._search.setClearButtonEnabled(True)
        self._search.setToolTip(self.tr("Find runs by trainer, dataset, state, date or folder"))
        self._search.setAccessibleName(self.tr("Search runs"))
        self._items = QStandardItemModel(self)
        self._found = QSortFilterProxyModel(self)
        self._found.setSourceModel(self._items)
        self._found.setFilterRole(SEARCHED)
        self._found.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._search.textChanged.connect(self._found.setFilterFixedString)
        self._view = RunRows()
        self._view.setModel(self._found)
        self._view.setItemDelegate(RunRow(self._view))
        self._view.compare_toggled.connect(self._toggle_compare)
        self._view.setAccessibleName(self.tr("Training runs"))
        self._view.setUniformItemSizes(True)
        self._view.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self._view.selectionModel().currentChanged.connect(self._choose)
        attach = QPushButton(theme.icon("folder-open"), self.tr("Attach…"))
        attach.setToolTip(
            self.tr("Watch and steer a run in another folder, also of another program or machine")
        )
        attach.clicked.connect(self._ask_folder)
        self._lay_out(attach)
        self.refresh()

    def _lay_out(self, attach: QPushButton) -> None:
        empty = QLabel(self.tr("Every training you start is kept here."))
        empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        empty.setWordWrap(True)
        theme.set_role(empty, "caption")
        self._pages = QStackedLayout()
        self._pages.addWidget(empty)
        self._pages.addWidget(self._view)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*(2 * theme.SPACING,) * 4)
        layout.setSpacing(theme.SPACING)
        layout.addWidget(self._search)
        layout.addLayout(self._pages, 1)
        layout.addWidget(attach)

    # ------------------------------------------------------------------ what there is

    def refresh(self) -> None:
        if not self._reading:
            self._reading = True
            folder, attached = self._folder, list(self._attached)
            self._background.run(lambda: _read_all(folder, attached), self._show)

    def attach(self, folder: Path) -> None:
        """Add a run that lives elsewhere, and choose it."""
        if folder not in self._attached:
            self._attached.append(folder)
        self.select(folder)
        self.refresh()
        self.chosen.emit(RunFolder(folder))

    def select(self, folder: Path) -> None:
        """Mark a run as the one that is shown, now or when it appears in the list."""
        self._current = folder
        self._mark_current()

    def set_compared(self, colors: Mapping[Path, str]) -> None:
        """Which runs are drawn beside the one that is shown, and in which colour of the theme."""
        self._colors = dict(colors)
        self._show_colors()

    def label(self, folder: Path) -> str:
        """What was trained on what, and when; the folder where that is not enough to tell apart."""
        items = [self._items.item(row) for row in range(self._items.rowCount())]
        labels = {item.data(RUN).path: str(item.data(LABEL)) for item in items}
        found = labels.get(folder, folder.name)
        return found if list(labels.values()).count(found) < 2 else folder.name

    @property
    def paths(self) -> list[Path]:
        """The runs as they are listed now, after the search."""
        rows = range(self._found.rowCount())
        return [self._found.index(row, 0).data(RUN).path for row in rows]

    def caption(self, folder: Path) -> str:
        """What the list says of a run."""
        for row in range(self._items.rowCount()):
            if self._items.item(row).data(RUN).path == folder:
                return str(self._items.item(row).data(CAPTION)[1])
        return ""

    def _show(self, entries: Sequence[_Entry]) -> None:
        self._reading = False
        while self._items.rowCount() > len(entries):
            self._items.removeRow(self._items.rowCount() - 1)
        for row, entry in enumerate(entries):
            if row == self._items.rowCount():
                self._items.appendRow(QStandardItem())
            self._fill(self._items.item(row), entry)
        self._pages.setCurrentIndex(1 if entries else 0)
        self._mark_current()
        self.refreshed.emit()

    def _fill(self, item: QStandardItem, entry: _Entry) -> None:
        title = self.title(entry.run, entry.state)
        word = self._word(entry.state)
        caption = (entry.state.word if entry.state else "failed", self._caption(entry, word))
        if item.text() == title and item.data(CAPTION) == caption:
            return
        item.setText(title)
        item.setData(entry.run, RUN)
        item.setData(caption, CAPTION)
        item.setData(" ".join((title, caption[1], str(entry.run.path))), SEARCHED)
        item.setData(_label(title, entry), LABEL)
        item.setToolTip(str(entry.run.path))
        self._show_color(item)

    def _show_colors(self) -> None:
        for row in range(self._items.rowCount()):
            self._show_color(self._items.item(row))

    def _show_color(self, item: QStandardItem) -> None:
        color = self._colors.get(item.data(RUN).path, "")
        item.setData(color, COLOR)
        words = [item.text(), item.data(CAPTION)[1], self.tr("compared") if color else ""]
        item.setAccessibleText(", ".join(word for word in words if word))

    def title(self, run: RunFolder, state: RunState | None) -> str:
        """What was trained on what."""
        if state is None:
            return run.path.name
        data = Path(str(state.fields.get("dataset", ""))).name
        return " · ".join(part for part in (self._titles.get(state.task, state.task), data) if part)

    def _caption(self, entry: _Entry, word: str) -> str:
        if entry.state is None:
            return word
        when = _local_time(str(entry.state.description.get("created", "")))
        total = max(entry.state.max_steps, entry.state.step)
        steps = f"{entry.state.step:,} / {total:,}"
        return " · ".join(part for part in (word, steps, when) if part)

    def _word(self, state: RunState | None) -> str:
        if state is None:
            return self.tr("damaged")
        return {
            "running": self.tr("running"),
            "paused": self.tr("paused"),
            "stopped": self.tr("stopped"),
            "finished": self.tr("finished"),
            "failed": self.tr("failed"),
            "interrupted": self.tr("interrupted"),
        }.get(state.word, state.word)

    # ------------------------------------------------------------------ hand

    def _mark_current(self) -> None:
        for row in range(self._found.rowCount()):
            index = self._found.index(row, 0)
            if index.data(RUN).path == self._current and self._view.currentIndex() != index:
                self._view.setCurrentIndex(index)

    def _choose(self, index: QModelIndex) -> None:
        run = index.data(RUN) if index.isValid() else None
        if run is not None and run.path != self._current:
            self._current = run.path
            self.chosen.emit(run)

    def _toggle_compare(self, index: QModelIndex) -> None:
        self.compare_toggled.emit(index.data(RUN))

    def _ask_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Attach a training run"))
        if chosen:
            self.attach(Path(chosen))


def _read_all(folder: Path, attached: Sequence[Path]) -> list[_Entry]:
    runs = [RunFolder(path) for path in attached if path.parent != folder] + list_runs(folder)
    return [_Entry(run, _state_of(run)) for run in runs]


def _state_of(run: RunFolder) -> RunState | None:
    try:
        return read_state(run)
    except FileError:
        return None


def _label(title: str, entry: _Entry) -> str:
    created = str(entry.state.description.get("created", "")) if entry.state else ""
    return " · ".join(part for part in (title, _local_time(created)) if part)


def _local_time(stamp: str) -> str:
    when = QDateTime.fromString(stamp, "yyyyMMdd-HHmmss")
    return QLocale().toString(when, "d MMM HH:mm") if when.isValid() else ""
