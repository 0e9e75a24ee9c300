"""The two colours a person paints with, and those used before."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor

MOST_RECENT = 14


class PaintColors(QObject):
    """Tools paint with the foreground; X swaps it with the background, D makes both plain again."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._foreground = QColor(Qt.GlobalColor.black)
        self._background = QColor(Qt.GlobalColor.white)
        self.recent: list[QColor] = []
        """Newest first, each once."""

    @property
    def foreground(self) -> QColor:
        return QColor(self._foreground)

    @foreground.setter
    def foreground(self, color: QColor) -> None:
        self._set(color, self._background)

    @property
    def background(self) -> QColor:
        return QColor(self._background)

    @background.setter
    def background(self, color: QColor) -> None:
        self._set(self._foreground, color)

    def swap(self) -> None:
        self._set(self._background, self._foreground)

    def reset(self) -> None:
        """Black on white."""
        self._set(QColor(Qt.GlobalColor.black), QColor(Qt.GlobalColor.white))

    def remember(self, color: QColor) -> None:
        """Put a colour that was used in front of the recent ones."""
        if self.recent[:1] != [color]:
            self.recent = [color, *(c for c in self.recent if c != color)][:MOST_RECENT]
            self.changed.emit()

    def state(self) -> dict[str, object]:
        """As JSON values; `restore` takes them."""
        return {
            "foreground": self._foreground.name(),
            "background": self._background.name(),
            "recent": [color.name() for color in self.recent],
        }

    def restore(self, state: dict[str, object]) -> None:
        """What cannot be read stays as it is."""
        for_front, for_back = _colors([state.get("foreground")]), _colors([state.get("background")])
        recent = state.get("recent")
        self.recent = _colors(recent)[:MOST_RECENT] if isinstance(recent, list) else self.recent
        self._foreground = for_front[0] if for_front else self._foreground
        self._background = for_back[0] if for_back else self._background
        self.changed.emit()

    def _set(self, foreground: QColor, background: QColor) -> None:
        if (foreground, background) != (self._foreground, self._background):
            self._foreground, self._background = QColor(foreground), QColor(background)
            self.changed.emit()


def _colors(names: Iterable[object]) -> list[QColor]:
    colors = (QColor.fromString(name) for name in names if isinstance(name, str))
    return [color for color in colors if color.isValid()]
