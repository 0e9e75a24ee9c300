"""A choice of the styles that a model knows by name; what is chosen stands in the prompt."""

from __future__ import annotations

import re
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from studio.theme import set_role


def style_of(prompt: str, styles: Sequence[str]) -> str:
    """The style that `prompt` asks for at its beginning or after its last comma; "" for none."""
    first, *_ = [*prompt.split(maxsplit=1), ""]
    _, comma, last = prompt.rpartition(",")
    named = (first.lower(), last.strip().lower() if comma else "")
    return next((style for style in styles if style.lower() in named), "")


def with_style(prompt: str, styles: Sequence[str], style: str) -> str:
    """`prompt` asking for `style` and no other; "" takes the style away."""
    bare = prompt
    while own := style_of(bare, styles):
        word = re.escape(own)
        bare = re.sub(rf"^\s*{word}(\s+|$)|\s*,\s*{word}\s*$", "", bare, flags=re.IGNORECASE)
    return f"{style} {bare.lstrip()}".strip() if style else bare


class StyleButton(QToolButton):
    """Hidden while the model knows no styles by name."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.styles: tuple[str, ...] = ()
        self._menu = QMenu(self)
        self._group = QActionGroup(self)
        self._group.triggered.connect(lambda action: self.chosen.emit(action.data()))
        self.setMenu(self._menu)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.setToolTip(self.tr("A style the model knows by name; it is written into the prompt"))
        self.setAccessibleName(self.tr("Style"))
        set_role(self, "fold")
        self.hide()

    def set_styles(self, styles: Sequence[str]) -> None:
        for action in self._group.actions():
            self._group.removeAction(action)
            self._menu.removeAction(action)
            action.deleteLater()
        self.styles = tuple(styles)
        for style in ("", *styles):
            action = QAction(style or self.tr("Any"), self._menu, checkable=True)
            action.setData(style)
            self._group.addAction(action)
            self._menu.addAction(action)
        self.setVisible(bool(styles))
        self.show_prompt("")

    def show_prompt(self, prompt: str) -> None:
        """Say which style `prompt` asks for."""
        asked = style_of(prompt, self.styles)
        for action in self._group.actions():
            action.setChecked(action.data() == asked)
        self.setText(self.tr("Style: {}").format(asked or self.tr("any")))
