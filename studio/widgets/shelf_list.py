"""All texts or chats, the newest first, and the words to find one by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from studio.shelf_index import ShelfEntry
from studio.theme import SPACING, set_role
from studio.widgets.quiet_tool import quiet_tool
from studio.widgets.search_field import SearchField

PATH = Qt.ItemDataRole.UserRole
NARROWEST = 28 * SPACING


class ShelfList(QWidget):
    """`chosen` and `deleted` carry the path of an entry."""

    chosen = Signal(object)
    deleted = Signal(object)
    begun = Signal()

    def __init__(
        self,
        *,
        title: str,
        new: str,
        delete: str,
        untitled: str,
        parent: QWidget | None = None,
    ) -> None:
        """What they are called together; the tips of the two buttons; an entry without a title."""
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._title, self._untitled = title, untitled
        self.setMinimumWidth(NARROWEST)
        self._entries: list[ShelfEntry] = []
        self._open: Path | None = None
        self.search = SearchField()
        self.search.setPlaceholderText(self.tr("Search the {}").format(title))
        self.search.setAccessibleName(self.tr("Search the {}").format(title))
        self.search.setToolTip(self.tr("Words that occur in one (Ctrl+F)"))
        new_button = quiet_tool("plus", new)
        new_button.clicked.connect(self.begun)
        remove = quiet_tool("trash-2", delete)
        remove.clicked.connect(self._delete)
        self._list = QListWidget()
        self._list.setAccessibleName(title)
        self._list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._none = QLabel(wordWrap=True)
        set_role(self._none, "caption")
        top = QHBoxLayout()
        top.addWidget(self.search, 1)
        top.addWidget(new_button)
        top.addWidget(remove)
        self._rows = rows = QVBoxLayout(self)
        rows.setContentsMargins(SPACING, SPACING, SPACING, SPACING)
        rows.setSpacing(SPACING)
        rows.addLayout(top)
        rows.addWidget(self._none)
        rows.addWidget(self._list, 1)
        self.search.textChanged.connect(self._fill)
        self.search.left.connect(self._list.setFocus)
        self._list.itemActivated.connect(self._choose)
        self._list.itemClicked.connect(self._choose)
        self._fill()

    def show_entries(self, entries: Sequence[ShelfEntry], opened: Path | None) -> None:
        """List these; the one of the path `opened` is marked, if it is among them."""
        self._entries, self._open = list(entries), opened
        self._fill()

    def add_below(self, widget: QWidget) -> None:
        """One more way to something new, under the list."""
        self._rows.addWidget(widget)

    def titles(self) -> list[str]:
        return [self._list.item(row).text() for row in range(self._list.count())]

    def _fill(self) -> None:
        self._list.clear()
        for entry in self._entries:
            if not entry.has(self.search.text()):
                continue
            item = QListWidgetItem(entry.title or self._untitled)
            item.setToolTip(entry.title)
            item.setData(PATH, entry.path)
            self._list.addItem(item)
            if entry.path == self._open:
                self._list.setCurrentItem(item)
        self._none.setVisible(not self._list.count())
        self._none.setText(
            self.tr("None of your {} has all of these words.").format(self._title)
            if self._entries
            else self.tr("Your {} will be listed here.").format(self._title)
        )

    def _choose(self, item: QListWidgetItem) -> None:
        self.chosen.emit(item.data(PATH))

    def _delete(self) -> None:
        item = self._list.currentItem()
        if item:
            self.deleted.emit(item.data(PATH))
