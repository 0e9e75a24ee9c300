"""Models that can be fetched: those recommended, by what they are for, or what a search found."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from engine.amounts import told
from engine.recommended import Recommended
from studio.theme import SPACING, icon, set_role
from studio.widgets.search_field import SearchField

MODEL = Qt.ItemDataRole.UserRole
NARROWEST = 44 * SPACING


class HubList(QWidget):
    """`searched` carries words, and is emitted for Enter and the button alone, never for typing."""

    searched = Signal(str)
    chosen = Signal(object)  # a Recommended

    def __init__(self, recommended: Sequence[Recommended], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumWidth(NARROWEST)
        self._recommended = recommended
        self.search = SearchField()
        self.search.setPlaceholderText(self.tr("Search the Hugging Face Hub by name"))
        self.search.setAccessibleName(self.tr("Search the Hugging Face Hub by name"))
        self.search.setToolTip(self.tr("Enter sends these words to the Hub; typing sends nothing"))
        self.go = QPushButton(icon("search", "muted"), self.tr("Search"))
        self.go.setToolTip(self.tr("Send these words to the Hugging Face Hub"))
        self.go.setAutoDefault(False)
        self._said = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        set_role(self._said, "caption")
        self._back = QPushButton(icon("chevron-left", "muted"), self.tr("Recommended models"))
        self._back.setToolTip(self.tr("Show the list that came with Atelier"))
        self._back.setAutoDefault(False)
        self._list = QListWidget()
        self._list.setAccessibleName(self.tr("Models that can be fetched"))
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setTextElideMode(Qt.TextElideMode.ElideRight)
        top = QHBoxLayout()
        top.addWidget(self.search, 1)
        top.addWidget(self.go)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACING)
        column.addLayout(top)
        column.addWidget(self._said)
        column.addWidget(self._list, 1)
        column.addWidget(self._back, alignment=Qt.AlignmentFlag.AlignLeft)
        self.go.clicked.connect(self._search)
        self.search.returnPressed.connect(self._search)
        self.search.left.connect(self._list.setFocus)
        self._back.clicked.connect(self.show_recommended)
        self._list.currentItemChanged.connect(self._choose)
        self.show_recommended()

    def show_recommended(self) -> None:
        self.say(
            self.tr("Free to use; some of the licences forbid certain uses. Sizes are approximate.")
        )
        self._back.hide()
        self._list.clear()
        for task, models in groupby(self._recommended, key=lambda model: model.task):
            heading = QListWidgetItem(task)
            heading.setFlags(Qt.ItemFlag.NoItemFlags)
            self._list.addItem(heading)
            self._add(list(models))
        self._list.setCurrentRow(1)

    def show_found(self, words: str, models: Sequence[Recommended]) -> None:
        one = self.tr("1 model on the Hub has “{}” in its name.").format(words)
        many = self.tr("{} models on the Hub have “{}” in their names, those fetched most first.")
        self.say(one if len(models) == 1 else many.format(len(models) or self.tr("No"), words))
        self._back.show()
        self._list.clear()
        self._add(models)
        self._list.setCurrentRow(0)

    def say(self, text: str) -> None:
        self._said.setText(text)

    def titles(self) -> list[str]:
        rows = [self._list.item(row) for row in range(self._list.count())]
        return [row.text() for row in rows if row.data(MODEL)]

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._list.doItemsLayout()  # only now does it know the style, and so the height of a row

    def _add(self, models: Sequence[Recommended]) -> None:
        for model in models:
            aside = told(model.size) if model.size else model.licence
            item = QListWidgetItem(f"{model.title} · {aside}")
            item.setToolTip(f"{model.repository}: {model.about}")
            item.setData(MODEL, model)
            self._list.addItem(item)

    def _search(self) -> None:
        if words := self.search.text().strip():
            self.searched.emit(words)

    def _choose(self, item: QListWidgetItem | None) -> None:
        if item is not None and item.data(MODEL):
            self.chosen.emit(item.data(MODEL))
