"""The line of a search: it offers the filters that can follow what is being typed."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QStringListModel, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QCompleter, QLineEdit, QToolButton, QWidget


class SearchField(QLineEdit):
    """Down goes on to what was found; Escape clears, and goes there when there is no more."""

    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setClearButtonEnabled(True)
        for button in self.findChildren(QToolButton):
            button.setToolTip(self.tr("Clear the search (Esc)"))
        self._filters = QStringListModel(self)
        self._completer = QCompleter(self._filters, self)
        self._completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._completer.setWidget(self)
        self._completer.activated.connect(self._complete)
        self.textEdited.connect(self._offer)

    def set_filters(self, filters: Sequence[str]) -> None:
        """Whole filters, such as `tag:cat`, that are worth offering."""
        self._filters.setStringList(list(filters))

    def begun(self) -> str:
        """The filter before the cursor that has its name and perhaps a part of its value."""
        before = self.text()[: self.cursorPosition()]
        word = before.rpartition(" ")[2]
        return word if ":" in word else ""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
        elif event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Down):
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def _offer(self) -> None:
        begun = self.begun()
        popup = self._completer.popup()
        self._completer.setCompletionPrefix(begun)
        if begun and self._completer.completionCount() and not self._is_whole(begun):
            self._completer.complete()
        elif popup is not None:
            popup.hide()

    def _is_whole(self, begun: str) -> bool:
        """Nothing can be added to it."""
        only = self._completer.completionCount() == 1
        return only and self._completer.currentCompletion().casefold() == begun.casefold()

    def _complete(self, chosen: str) -> None:
        end = self.cursorPosition()
        start = end - len(self.begun())
        self.setText(f"{self.text()[:start]}{chosen} {self.text()[end:].lstrip()}")
        self.setCursorPosition(start + len(chosen) + 1)
