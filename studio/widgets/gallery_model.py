"""The pictures of a search as rows: numbers only; what is in sight is loaded when it is painted."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QStringListModel, Qt

from studio.thumbnail_loader import Cell, ThumbnailLoader
from studio.widgets.tooltips import literal

Index = QModelIndex | QPersistentModelIndex
MOST_TOOLTIP = 500  # characters


class PictureModel(QStringListModel):
    """Row by row what a search has found.

    The strings are empty: Qt asks for the count of rows a thousand times while it paints, and this
    model answers without Python.
    """

    def __init__(self, loader: ThumbnailLoader, parent: QObject) -> None:
        super().__init__(parent)
        self._loader = loader
        self._numbers: array[int] = array("q")
        self._rows: dict[int, int] | None = {}

    @property
    def numbers(self) -> Sequence[int]:
        return self._numbers

    def set_numbers(self, numbers: array[int]) -> None:
        self._numbers = numbers
        self._rows = None
        self.setStringList([""] * len(numbers))

    def row_of(self, number: int) -> int | None:
        if self._rows is None:
            self._rows = {each: row for row, each in enumerate(self._numbers)}
        return self._rows.get(number)

    def cell(self, row: int) -> Cell | None:
        """What is to be painted; None until it has been loaded."""
        return self._loader.cell(self._numbers[row])

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role not in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return None
        cell = self.cell(index.row())
        if cell is None:
            return None
        text = _said(cell)
        if role == Qt.ItemDataRole.ToolTipRole:
            return literal(text)
        return self.tr("Starred: {}").format(text) if cell.picture.mark.star else text


def _said(cell: Cell) -> str:
    """What a person who does not see the picture is told of it."""
    said = cell.picture.description
    text = cell.problem or said.prompt or cell.picture.path.name
    if len(text) > MOST_TOOLTIP:
        text = text[:MOST_TOOLTIP] + " …"
    return text
