"""A button of one icon that stands back: its tip is its name."""

from __future__ import annotations

from PySide6.QtWidgets import QToolButton

from studio.theme import icon, set_role


def quiet_tool(icon_name: str, tip: str) -> QToolButton:
    tool = QToolButton()
    tool.setIcon(icon(icon_name, "muted"))
    tool.setToolTip(tip)
    tool.setAccessibleName(tip)
    set_role(tool, "quiet")
    return tool
