"""A dock at the bottom that takes one line while there is nothing in it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtWidgets import (
    QDockWidget,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from studio.settings import Settings
from studio.theme import SPACING, icon, set_role

UNLIMITED = 2**24 - 1  # Qt's QWIDGETSIZE_MAX, which PySide6 does not have
BESIDE = Qt.DockWidgetArea.LeftDockWidgetArea | Qt.DockWidgetArea.RightDockWidgetArea


class Folding(QObject):
    """Gives the room of an empty dock to the work above it, and takes it back when it is needed.

    A dock that floats, stands at a side or shares its place with another one keeps its size. How
    high the person has made it is remembered.
    """

    def __init__(
        self, window: QMainWindow, dock: QDockWidget, said: str, height: int, settings: Settings
    ) -> None:
        """`said`: what is in the line; `height`: of the dock on the first day."""
        super().__init__(dock)
        self._window = window
        self._dock = dock
        self._settings = settings
        self._key = f"height/{dock.objectName()}"
        self._height = settings.value(self._key, height)
        self._empty = True
        self._line = _Line(dock, said)
        self._fold()  # whatever height the layout of the last time has given it
        dock.topLevelChanged.connect(self._fit)
        dock.dockLocationChanged.connect(self._fit)
        for other in window.findChildren(QDockWidget):
            if other is not dock:
                other.installEventFilter(self)
        window.installEventFilter(self)
        self._fit()

    @property
    def folded(self) -> bool:
        return self._dock.titleBarWidget() is self._line

    def set_empty(self, empty: bool) -> None:
        if empty:
            self._keep()
        self._empty = empty
        self._fit()

    def _keep(self) -> None:
        """Remember how high it is now."""
        if not self.folded and self._lies() and self._dock.isVisible():
            self._height = self._dock.height()
            self._settings.set_value(self._key, self._height)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._window:
            if event.type() == QEvent.Type.Close:
                self._keep()
        elif event.type() in (QEvent.Type.ShowToParent, QEvent.Type.HideToParent):
            self._fit()
        return False

    def _fit(self) -> None:
        wanted = self._empty and self._lies()
        if wanted and not self.folded:
            self._fold()
        elif self.folded and not wanted:
            self._unfold()

    def _lies(self) -> bool:
        """Whether it has the bottom of the window for itself."""
        dock, window = self._dock, self._window
        beside = window.tabifiedDockWidgets(dock)
        shared = any(not other.isHidden() and not other.isFloating() for other in beside)
        at_a_side = bool(window.dockWidgetArea(dock) & BESIDE)
        return not (dock.isFloating() or at_a_side or shared)

    def _fold(self) -> None:
        self._line.show()
        self._dock.setTitleBarWidget(self._line)
        self._dock.widget().setMaximumHeight(0)

    def _unfold(self) -> None:
        self._dock.setTitleBarWidget(None)  # type: ignore[arg-type]
        self._line.hide()
        self._dock.widget().setMaximumHeight(UNLIMITED)
        if self._lies():
            self._window.resizeDocks([self._dock], [self._height], Qt.Orientation.Vertical)


class _Line(QWidget):
    """In place of the title: the name, what there is to say, and a button to close the dock."""

    def __init__(self, dock: QDockWidget, said: str) -> None:
        super().__init__(dock)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        name, words = QLabel(dock.windowTitle()), QLabel(said)
        set_role(words, "caption")
        # In a narrow window the words are cut; they must not keep it wide.
        words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        close = QToolButton()
        close.setIcon(icon("x", "muted"))
        close.setIconSize(QSize(2 * SPACING, 2 * SPACING))
        close.setToolTip(self.tr("Hide this panel; View shows it again"))
        close.setAccessibleName(close.toolTip())
        set_role(close, "quiet")
        close.clicked.connect(dock.close)
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * SPACING, 0, SPACING // 2, 0)
        row.setSpacing(2 * SPACING)
        row.addWidget(name)
        row.addWidget(words, 1)
        row.addWidget(close)
