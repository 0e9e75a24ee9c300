"""A row that goes on in the next line where there is no room, as words do."""

from __future__ import annotations

from PySide6.QtCore import QMargins, QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QWidget

from studio.theme import SPACING


class FlowLayout(QLayout):
    """Every item has the size it asks for, or the least it needs where not all fit into one row."""

    def __init__(self, parent: QWidget | None = None, gap: int = 2 * SPACING) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self._gap = gap
        self.setContentsMargins(QMargins())

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._place(QRect(0, 0, width, 0), move=False)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._place(rect, move=True)

    def sizeHint(self) -> QSize:
        """All in one row."""
        sizes = [item.sizeHint() for item in self._shown()]
        width = sum(size.width() for size in sizes) + self._gap * max(len(sizes) - 1, 0)
        return QSize(width, _highest(sizes)).grownBy(self.contentsMargins())

    def minimumSize(self) -> QSize:
        sizes = [item.minimumSize() for item in self._shown()]
        width = max((size.width() for size in sizes), default=0)
        return QSize(width, _highest(sizes)).grownBy(self.contentsMargins())

    def _shown(self) -> list[QLayoutItem]:
        return [item for item in self._items if not item.isEmpty()]

    def _place(self, rect: QRect, *, move: bool) -> int:
        """Put the items into lines within `rect`; the height that takes."""
        inner = rect.marginsRemoved(self.contentsMargins())
        roomy = self.sizeHint().width() <= rect.width()
        sizes = [item.sizeHint() if roomy else item.minimumSize() for item in self._shown()]
        line = _highest(sizes)
        x, y = inner.left(), inner.top()
        for item, size in zip(self._shown(), sizes, strict=True):
            width = min(size.width(), inner.width())
            if x > inner.left() and x + width > inner.right() + 1:
                x, y = inner.left(), y + line + self._gap // 2
            if move:
                top = y + (line - size.height()) // 2
                item.setGeometry(QRect(QPoint(x, top), QSize(width, size.height())))
            x += width + self._gap
        return y + line - rect.top() + self.contentsMargins().bottom()


def _highest(sizes: list[QSize]) -> int:
    return max((size.height() for size in sizes), default=0)
