"""Log records on their way to the window: the handler that collects them and the list of them."""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)

from studio.theme import colors

LEVEL_ROLE = int(Qt.ItemDataRole.UserRole)
TEXT_ROLE = LEVEL_ROLE + 1
"""The whole text of a record, with its traceback."""

CAPACITY = 5000
"""Records kept; the oldest go first."""

FORMAT = logging.Formatter("%(asctime)s  %(levelname)-7s  %(name)s: %(message)s", "%H:%M:%S")


class LogHandler(logging.Handler):
    """Takes records from any thread; whoever hears `arrived` on the GUI thread takes them all."""

    class Bell(QObject):
        rung = Signal()

    def __init__(self, level: int = logging.INFO) -> None:
        super().__init__(level)
        self._bell = LogHandler.Bell()
        self.arrived = self._bell.rung
        self._taking = threading.Lock()
        self._waiting: deque[logging.LogRecord] = deque(maxlen=CAPACITY)

    def emit(self, record: logging.LogRecord) -> None:
        with self._taking:
            first = not self._waiting
            self._waiting.append(record)
        if first:  # one signal for a whole flood of records
            self.arrived.emit()

    def take(self) -> list[logging.LogRecord]:
        with self._taking:
            taken = list(self._waiting)
            self._waiting.clear()
        return taken


class LogRecords(QAbstractListModel):
    """The last CAPACITY records, oldest first."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._records: list[tuple[int, str]] = []  # level and whole text

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._records)

    def data(
        self,
        index: QModelIndex | QPersistentModelIndex,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        level, text = self._records[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return text.partition("\n")[0]
        if role == TEXT_ROLE:
            return text
        if role == LEVEL_ROLE:
            return level
        if role == Qt.ItemDataRole.ForegroundRole:
            return _color(level)
        return None

    def add(self, records: list[logging.LogRecord]) -> None:
        new = [(record.levelno, FORMAT.format(record)) for record in records][-CAPACITY:]
        surplus = len(self._records) + len(new) - CAPACITY
        if surplus > 0:
            self.beginRemoveRows(QModelIndex(), 0, surplus - 1)
            del self._records[:surplus]
            self.endRemoveRows()
        if new:
            first = len(self._records)
            self.beginInsertRows(QModelIndex(), first, first + len(new) - 1)
            self._records += new
            self.endInsertRows()

    def clear(self) -> None:
        self.beginResetModel()
        self._records.clear()
        self.endResetModel()


def _color(level: int) -> Any:
    if level >= logging.ERROR:
        return colors().danger
    return colors().warning if level >= logging.WARNING else colors().text
