"""The styles that are put around the prompt: chosen from a menu, each shown as a chip."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QPushButton, QToolButton, QWidget

from engine.prompts.styles import Style, joined, names_in
from studio.theme import SPACING, icon, set_role
from studio.widgets.flow_layout import FlowLayout
from studio.widgets.tooltips import literal

MOST_CHIPS = 12
LONGEST_NAME = 28
"""Characters on a chip; the tooltip has them all."""


class StyleChips(QWidget):
    """Shows a value of the field `style`; what a person asks for is only told."""

    wanted = Signal(str)  # the value that was asked for
    changed = Signal()
    keep_wanted = Signal()  # of the prompt as a style
    edit_wanted = Signal()
    lists_wanted = Signal()  # of wildcards, to be written

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names: tuple[str, ...] = ()
        self._styles: dict[str, Style] = {}
        self._alone: frozenset[str] = frozenset()
        self._entries: list[QAction] = []
        self._chips: list[QPushButton] = []
        self._menu = QMenu(self)
        self._menu.setToolTipsVisible(True)
        self.button = QToolButton()
        self.button.setText(self.tr("Style"))
        self.button.setIcon(icon("palette", "muted"))
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.button.setMenu(self._menu)
        self.button.setToolTip(self.tr("Put a style around the prompt"))
        self.button.setAccessibleName(self.tr("Style"))
        set_role(self.button, "fold")
        self._row = FlowLayout(self, SPACING)
        self._row.addWidget(self.button)

    def value(self) -> str:
        """As the field of a task has it."""
        return joined(self._names)

    def set_value(self, value: str) -> None:
        self._names = names_in(value)[:MOST_CHIPS]
        self._show()
        self.changed.emit()

    def set_styles(self, styles: Sequence[Style], alone: Collection[str] = ()) -> None:
        """Offer these; of those named in `alone` only one is chosen at a time."""
        self._styles = {style.name: style for style in styles}
        self._alone = frozenset(alone)
        for action in self._entries:  # one by one: clear() deletes what Python still holds
            self._menu.removeAction(action)
            action.deleteLater()
        self._entries = []
        for style in styles:
            if style.name not in self._alone and self._entries_are_all_alone():
                self._entries.append(self._menu.addSeparator())
            self._add_style(style)
        self._entries.append(self._menu.addSeparator())
        for text, signal in (
            (self.tr("Keep this prompt as a style…"), self.keep_wanted),
            (self.tr("Edit styles…"), self.edit_wanted),
            (self.tr("Open the folder of wildcard lists"), self.lists_wanted),
        ):
            action = QAction(text, self._menu)
            action.triggered.connect(signal)
            self._menu.addAction(action)
            self._entries.append(action)
        self._show()

    def toggled(self, name: str) -> str:
        """The value with this style added, or without it where it was chosen."""
        if name in self._names:
            return joined([other for other in self._names if other != name])
        others = [n for n in self._names if not (name in self._alone and n in self._alone)]
        return joined([*others, name])

    def _entries_are_all_alone(self) -> bool:
        return bool(self._entries) and all(e.data() in self._alone for e in self._entries)

    def _add_style(self, style: Style) -> None:
        action = QAction(style.name.replace("&", "&&"), self._menu, checkable=True)
        action.setData(style.name)
        action.setToolTip(literal(_told(style)))
        action.triggered.connect(lambda: self.wanted.emit(self.toggled(style.name)))
        self._menu.addAction(action)
        self._entries.append(action)

    def _show(self) -> None:
        for action in self._entries:
            if action.isCheckable():
                action.setChecked(action.data() in self._names)
        for chip in self._chips:
            self._row.removeWidget(chip)
            chip.hide()
            chip.deleteLater()
        self._chips = [self._chip(name) for name in self._names]
        for chip in self._chips:
            self._row.addWidget(chip)

    def _chip(self, name: str) -> QPushButton:
        known = self._styles.get(name)
        short = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
        chip = QPushButton(icon("x", "muted"), short.replace("&", "&&"))
        chip.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # the cross behind the name
        set_role(chip, "chip" if known else "chip-problem")
        what = (
            _told(known) if known else self.tr("There is no style {} for this model.").format(name)
        )
        chip.setToolTip(literal(f"{what}\n{self.tr('Click to take it away')}"))
        chip.setAccessibleName(self.tr("Take away the style {}").format(name))
        chip.clicked.connect(lambda: self.wanted.emit(self.toggled(name)))
        return chip


def _told(style: Style) -> str:
    lines = [style.prompt, f"− {style.negative_prompt}" if style.negative_prompt else ""]
    return "\n".join(textwrap.fill(line[:500], 60) for line in lines if line)
