"""Tags as chips, with a line to add one more."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QStringListModel, Qt, Signal
from PySide6.QtWidgets import QCompleter, QLineEdit, QVBoxLayout, QWidget

from studio import theme
from studio.widgets.chip_row import Chip, ChipRow


class TagEdit(QWidget):
    """`added` and `removed` tell of one tag; who listens shows what there is then."""

    added = Signal(str)
    removed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tags: tuple[str, ...] = ()
        self._chips = ChipRow()
        self._chips.removed.connect(lambda place: self.removed.emit(self._tags[place]))
        self.line = QLineEdit()
        self.line.setPlaceholderText(self.tr("Add a tag"))
        self.line.setToolTip(self.tr("A word to find these pictures by (T); Enter adds it"))
        self.line.setAccessibleName(self.tr("Add a tag"))
        self.line.setMaxLength(100)
        self.line.returnPressed.connect(self._add)
        self._known = QStringListModel(self)
        completer = QCompleter(self._known, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        self.line.setCompleter(completer)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACING // 2)
        column.addWidget(self._chips)
        column.addWidget(self.line)
        self.show_tags(())

    @property
    def tags(self) -> tuple[str, ...]:
        return self._tags

    def show_tags(self, tags: Sequence[str]) -> None:
        self._tags = tuple(tags)
        tip = self.tr("Take this tag away")
        self._chips.show_chips([Chip(tag, tip) for tag in self._tags])

    def suggest(self, tags: Sequence[str]) -> None:
        """Tags that are in use, offered while a person types."""
        self._known.setStringList(list(tags))

    def _add(self) -> None:
        tag = " ".join(self.line.text().split())
        self.line.clear()
        if tag:
            self.added.emit(tag)
