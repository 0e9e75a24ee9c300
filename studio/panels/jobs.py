"""The Jobs panel: everything that runs, waits or has ended, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QModelIndex, QSize, QSortFilterProxyModel, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDockWidget,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListView,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from engine.worker import Engine, Job
from studio.panels.job_list import JOB_ROLE, SEARCH_ROLE, JobList
from studio.panels.job_row import JobRow, row_buttons
from studio.theme import SPACING, icon, set_role
from studio.widgets.error_box import ErrorBox

SEARCH_FROM = 8
"""With fewer jobs than this a search box would only be in the way."""


class JobsPanel(QDockWidget):
    """Lists the jobs of all `engines`; every row says what can be done with it."""

    emptied = Signal(bool)  # whether there is none

    def __init__(self, engines: Sequence[Engine], parent: QWidget | None = None) -> None:
        super().__init__(self.tr("Jobs"), parent)
        self.setObjectName("jobs")
        self._engines = tuple(engines)
        self._current: Job | None = None
        self._list = JobList(engines, self)
        self._shown = QSortFilterProxyModel(self)
        self._shown.setSourceModel(self._list)
        self._shown.setFilterRole(SEARCH_ROLE)
        self._shown.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._search = self._make_search()
        self._clear = self._make_clear()
        self._view = self._make_view()
        self._actions = self._make_actions()
        self._error = ErrorBox()
        self._error.retry.connect(lambda: self._do_with_current("retry"))
        self._stack = QStackedWidget()
        self.setWidget(self._lay_out())
        self._list.modelReset.connect(self._update)
        self._list.dataChanged.connect(self._update)
        self._view.selectionModel().currentChanged.connect(self._select)
        self._update()

    def sizeHint(self) -> QSize:
        """Room for a few rows; the work above it needs the rest."""
        return QSize(40 * SPACING, 18 * SPACING)

    @property
    def is_empty(self) -> bool:
        return not any(engine.jobs for engine in self._engines)

    @property
    def empty_text(self) -> str:
        """What is said where there is nothing to list."""
        return self.tr("Nothing is running. What you write, draw or train appears here.")

    def selected(self) -> Job | None:
        return self._current

    # ------------------------------------------------------------------ what can be done

    def do(self, job: Job, verb: str) -> None:
        """Cancel, retry, remove, or move `job` up or down in the queue."""
        engine = self._list.engine_of(job)
        verbs: dict[str, Callable[[], object]] = {
            "cancel": job.cancel,
            "retry": lambda: engine.retry(job),
            "remove": lambda: engine.remove(job),
            "up": lambda: engine.move(job, -1),
            "down": lambda: engine.move(job, +1),
        }
        verbs[verb]()
        self._list.refresh()

    def remove_ended(self) -> None:
        """Take all jobs that have ended off the list; their results stay."""
        for engine in self._engines:
            for job in [job for job in engine.jobs if job.state.ended]:
                engine.remove(job)

    def _do_with_current(self, verb: str) -> None:
        if self._current and verb in _verbs(self._current):
            self.do(self._current, verb)

    # ------------------------------------------------------------------ what is shown

    def _update(self) -> None:
        jobs = [job for engine in self._engines for job in engine.jobs]
        self._stack.setCurrentIndex(0 if self.is_empty else 1)
        self.emptied.emit(self.is_empty)
        self._search.setVisible(len(jobs) >= SEARCH_FROM or bool(self._search.text()))
        self._clear.setEnabled(any(job.state.ended for job in jobs))
        if self._view.currentIndex().data(JOB_ROLE) is not self._current:
            self._restore_current()
        self._show_current()

    def _restore_current(self) -> None:
        """A reset forgets the selected row, and the job may be in another one now."""
        for row in range(self._shown.rowCount()):
            index = self._shown.index(row, 0)
            if index.data(JOB_ROLE) is self._current:
                self._view.setCurrentIndex(index)
                return
        self._current = None

    def _select(self, index: QModelIndex) -> None:
        if index.isValid():  # an invalid one is only a reset, after which the row is found again
            self._current = index.data(JOB_ROLE)
            self._show_current()

    def _show_current(self) -> None:
        job = self._current
        if job and job.error:
            self._error.show_error(job.error)
        else:
            self._error.hide()
        self._update_actions()

    def _update_actions(self) -> None:
        verbs = _verbs(self._current) if self._current else set()
        for verb, action in self._actions.items():
            action.setEnabled(verb in verbs)

    # ------------------------------------------------------------------ parts

    def _make_search(self) -> QLineEdit:
        search = QLineEdit(placeholderText=self.tr("Search jobs"), clearButtonEnabled=True)
        search.addAction(icon("search", "muted"), QLineEdit.ActionPosition.LeadingPosition)
        search.setToolTip(self.tr("Show only jobs whose title or state contains this"))
        search.setAccessibleName(self.tr("Search jobs"))
        search.textChanged.connect(self._shown.setFilterFixedString)
        search.textChanged.connect(self._update)
        return search

    def _make_clear(self) -> QPushButton:
        clear = QPushButton(self.tr("Clear ended"))
        set_role(clear, "quiet")
        clear.setToolTip(self.tr("Take all jobs that have ended off the list; their results stay"))
        clear.setAccessibleName(self.tr("Clear ended jobs"))
        clear.clicked.connect(self.remove_ended)
        return clear

    def _make_view(self) -> QListView:
        view = QListView()
        view.setAccessibleName(self.tr("Jobs"))
        view.setModel(self._shown)
        row = JobRow(view)
        row.clicked.connect(self.do)
        view.setItemDelegate(row)
        view.setMouseTracking(True)
        view.setUniformItemSizes(True)
        view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        # It takes what the dock has; else the dock would grow with its first job.
        view.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        view.setMinimumHeight(8 * SPACING)
        return view

    def _make_actions(self) -> dict[str, QAction]:
        """The same verbs as the buttons in the rows, for the keyboard and the context menu."""
        table = (
            ("cancel", self.tr("Cancel"), "x", "Esc"),
            ("retry", self.tr("Retry"), "rotate-ccw", "Ctrl+R"),
            ("up", self.tr("Run earlier"), "chevron-up", "Alt+Up"),
            ("down", self.tr("Run later"), "chevron-down", "Alt+Down"),
            ("remove", self.tr("Remove from list"), "trash-2", "Del"),
        )
        actions = {}
        for verb, text, icon_name, keys in table:
            action = QAction(icon(icon_name), text, self._view)
            action.setShortcut(QKeySequence(keys))
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
            action.triggered.connect(lambda _checked=False, verb=verb: self._do_with_current(verb))
            self._view.addAction(action)
            actions[verb] = action
        return actions

    def _lay_out(self) -> QWidget:
        top = QHBoxLayout()
        top.addWidget(self._search, 1)
        top.addStretch()
        top.addWidget(self._clear)
        listing = QWidget()
        column = QVBoxLayout(listing)
        column.setContentsMargins(SPACING // 2, 0, SPACING // 2, SPACING // 2)
        column.setSpacing(SPACING // 2)
        column.addLayout(top)
        column.addWidget(self._view, 1)
        column.addWidget(self._error)
        self._stack.addWidget(self._make_empty_state())
        self._stack.addWidget(listing)
        return self._stack

    def _make_empty_state(self) -> QWidget:
        empty = QLabel(
            self.empty_text,
            alignment=Qt.AlignmentFlag.AlignCenter,
            wordWrap=True,
            margin=2 * SPACING,
        )
        set_role(empty, "caption")
        return empty


def _verbs(job: Job) -> set[str]:
    return {button.verb for button in row_buttons(job)}
