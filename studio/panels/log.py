"""The Log panel: what the program noted about its own work, for whoever looks for a cause."""

from __future__ import annotations

import logging
from collections.abc import Callable

from PySide6.QtCore import (
    QModelIndex,
    QPersistentModelIndex,
    QSize,
    QSortFilterProxyModel,
    Qt,
    QUrl,
)
from PySide6.QtGui import (
    QAction,
    QDesktopServices,
    QFont,
    QFontDatabase,
    QGuiApplication,
    QKeySequence,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDockWidget,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QPlainTextEdit,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine import folders
from studio.panels.log_records import LEVEL_ROLE, TEXT_ROLE, LogHandler, LogRecords
from studio.theme import SPACING, icon, set_role


class LogPanel(QDockWidget):
    """The last records of `handler`, filtered by level and text, with the whole of one below."""

    def __init__(self, handler: LogHandler, parent: QWidget | None = None) -> None:
        super().__init__(self.tr("Log"), parent)
        self.setObjectName("log")
        self._handler = handler
        self._records = LogRecords(self)
        self._shown = _Shown(self._records)
        self._view = self._make_view()
        self._whole = self._make_whole()
        self.setWidget(self._lay_out())
        self._view.selectionModel().currentChanged.connect(self._show_whole)
        handler.arrived.connect(self._take)
        self._take()

    def sizeHint(self) -> QSize:
        """Room for a few rows; the work above it needs the rest."""
        return QSize(40 * SPACING, 18 * SPACING)

    def copy(self) -> None:
        """Copy the selected records, or all that are shown when none is selected."""
        rows = [index.row() for index in self._view.selectionModel().selectedRows()]
        chosen = sorted(rows) or range(self._shown.rowCount())
        texts = [self._shown.index(row, 0).data(TEXT_ROLE) for row in chosen]
        QGuiApplication.clipboard().setText("\n".join(texts))

    def open_folder(self) -> None:
        folders.logs().mkdir(parents=True, exist_ok=True)
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folders.logs())))

    def _take(self) -> None:
        bar = self._view.verticalScrollBar()
        at_end = bar.value() >= bar.maximum() - 4
        self._records.add(self._handler.take())
        if at_end:
            self._view.scrollToBottom()

    def _show_whole(self, index: QModelIndex) -> None:
        text = index.data(TEXT_ROLE) if index.isValid() else ""
        self._whole.setPlainText(text)
        self._whole.setVisible(bool(text))

    # ------------------------------------------------------------------ parts

    def _make_view(self) -> QListView:
        view = QListView()
        view.setAccessibleName(self.tr("Log records"))
        view.setModel(self._shown)
        view.setUniformItemSizes(True)
        view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        view.setFont(_fixed_font())
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        copy = QAction(self.tr("Copy"), view)
        copy.setShortcut(QKeySequence.StandardKey.Copy)
        copy.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        copy.triggered.connect(self.copy)
        view.addAction(copy)
        return view

    def _make_whole(self) -> QPlainTextEdit:
        whole = QPlainTextEdit(readOnly=True)
        whole.setAccessibleName(self.tr("The whole record"))
        whole.setFont(_fixed_font())
        whole.hide()
        return whole

    def _make_levels(self) -> QComboBox:
        levels = QComboBox()
        for text, level in (
            (self.tr("Everything"), logging.NOTSET),
            (self.tr("Warnings and errors"), logging.WARNING),
            (self.tr("Errors"), logging.ERROR),
        ):
            levels.addItem(text, level)
        levels.setToolTip(self.tr("Which records are shown"))
        levels.setAccessibleName(self.tr("Level"))
        levels.currentIndexChanged.connect(lambda: self._shown.set_level(levels.currentData()))
        return levels

    def _make_search(self) -> QLineEdit:
        search = QLineEdit(placeholderText=self.tr("Search the log"), clearButtonEnabled=True)
        search.addAction(icon("search", "muted"), QLineEdit.ActionPosition.LeadingPosition)
        search.setToolTip(self.tr("Show only records that contain this"))
        search.setAccessibleName(self.tr("Search the log"))
        search.textChanged.connect(self._shown.setFilterFixedString)
        return search

    def _button(self, icon_name: str, tip: str, slot: Callable[[], None]) -> QToolButton:
        button = QToolButton()
        button.setIcon(icon(icon_name))
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.clicked.connect(slot)
        set_role(button, "quiet")
        return button

    def _lay_out(self) -> QWidget:
        top = QHBoxLayout()
        top.setSpacing(SPACING // 2)
        top.addWidget(self._make_levels())
        top.addWidget(self._make_search(), 1)
        top.addWidget(self._button("copy", self.tr("Copy the selected records, or all"), self.copy))
        top.addWidget(self._button("trash-2", self.tr("Clear this list"), self._records.clear))
        top.addWidget(
            self._button("folder-open", self.tr("Open the folder of log files"), self.open_folder)
        )
        halves = QSplitter(Qt.Orientation.Vertical)
        halves.addWidget(self._view)
        halves.addWidget(self._whole)
        halves.setStretchFactor(0, 3)
        halves.setStretchFactor(1, 1)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(SPACING, SPACING // 2, SPACING, SPACING)
        column.setSpacing(SPACING // 2)
        column.addLayout(top)
        column.addWidget(halves, 1)
        return body


class _Shown(QSortFilterProxyModel):
    """The records of a level and above whose whole text, traceback and all, matches."""

    def __init__(self, records: LogRecords) -> None:
        super().__init__(records)
        self._level = logging.NOTSET
        self.setSourceModel(records)
        self.setFilterRole(TEXT_ROLE)
        self.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)

    def set_level(self, level: int) -> None:
        self._level = level
        self.invalidate()

    def filterAcceptsRow(self, row: int, parent: QModelIndex | QPersistentModelIndex) -> bool:
        index = self.sourceModel().index(row, 0, parent)
        return index.data(LEVEL_ROLE) >= self._level and super().filterAcceptsRow(row, parent)


def _fixed_font() -> QFont:
    return QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
