"""A panel at a side of a workspace."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QWidget

LEFT = Qt.DockWidgetArea.LeftDockWidgetArea
RIGHT = Qt.DockWidgetArea.RightDockWidgetArea


def add_dock(
    window: QMainWindow,
    name: str,
    title: str,
    widget: QWidget,
    area: Qt.DockWidgetArea = RIGHT,
) -> QDockWidget:
    """`name` is what the layout of the window remembers it by."""
    dock = QDockWidget(title, window)
    dock.setObjectName(name)
    dock.setWidget(widget)
    window.addDockWidget(area, dock)
    return dock
