"""Undo and redo of everything in Create: canvas and settings on one stack, named in the menus."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QUndoStack

from studio.actions import Command
from studio.canvas.tools.tool_box import ToolBox

UNDO, REDO = "create_undo", "create_redo"


class Undoing(QObject):
    """Follows the stack: what would be undone stands in the menu and in the palette."""

    def __init__(self, stack: QUndoStack, box: ToolBox, parent: QObject) -> None:
        super().__init__(parent)
        self._stack = stack
        self._box = box

    def actions_table(self) -> list[Command]:
        return [
            Command(UNDO, self.tr("Undo"), "Ctrl+Z", "undo-2", self.undo),
            Command(REDO, self.tr("Redo"), "Ctrl+Shift+Z", "redo-2", self._stack.redo),
        ]

    def undo(self) -> None:
        """What a tool holds is the newest deed of all: it alone is taken back, as on the canvas."""
        if self._box.current.is_busy:
            self._box.drop()
        else:
            self._box.settle()  # a stroke that is not at its end yet is a step too
            self._stack.undo()

    def follow(self, actions: Mapping[str, QAction]) -> None:
        """Keep the texts of these actions true."""
        self._undo, self._redo = actions[UNDO], actions[REDO]
        stack = self._stack
        stack.undoTextChanged.connect(self._name_undo)
        stack.redoTextChanged.connect(self._name_redo)
        stack.canUndoChanged.connect(self._undo.setEnabled)
        stack.canRedoChanged.connect(self._redo.setEnabled)
        self._undo.setEnabled(stack.canUndo())
        self._redo.setEnabled(stack.canRedo())

    def _name_undo(self, deed: str) -> None:
        self._undo.setText(_named(self.tr("Undo"), deed))

    def _name_redo(self, deed: str) -> None:
        self._redo.setText(_named(self.tr("Redo"), deed))


def _named(verb: str, deed: str) -> str:
    """ "Undo" and "Brush stroke" make "Undo brush stroke"."""
    return f"{verb} {deed[:1].lower()}{deed[1:]}" if deed else verb
