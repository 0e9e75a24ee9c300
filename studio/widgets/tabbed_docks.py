"""Docks that share a place: the tab says what each is, so that no title has to say it again."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QDockWidget, QMainWindow, QWidget


class TabbedDocks(QObject):
    """A dock alone in its place, or floating, has its title back."""

    def __init__(self, window: QMainWindow, docks: Sequence[QDockWidget]) -> None:
        super().__init__(window)
        self._window = window
        self._docks = list(docks)
        self._blanks = {dock: QWidget(dock) for dock in docks}
        self._later = QTimer(self)  # Qt tells of a dock before it has put it where it is going
        self._later.setSingleShot(True)
        self._later.setInterval(0)
        self._later.timeout.connect(self._follow)
        for dock in docks:
            dock.topLevelChanged.connect(self._later.start)
            dock.dockLocationChanged.connect(self._later.start)
            dock.visibilityChanged.connect(self._later.start)
        self._later.start()

    def _follow(self) -> None:
        for dock in self._docks:
            others = self._window.tabifiedDockWidgets(dock)
            tabbed = not dock.isFloating() and any(not other.isHidden() for other in others)
            wanted = self._blanks[dock] if tabbed else None
            if dock.titleBarWidget() is not wanted:
                dock.setTitleBarWidget(wanted)  # type: ignore[arg-type]  # None is Qt's own again
                self._blanks[dock].setVisible(tabbed)
