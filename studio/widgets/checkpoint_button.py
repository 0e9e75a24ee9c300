"""What can be done with the checkpoint under the cursor of the timeline."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from studio import theme


class CheckpointButton(QToolButton):
    """A button with a menu: branch a new run from the checkpoint, or roll back to it."""

    branch = Signal(int)
    roll_back = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._step: int | None = None
        self.setIcon(theme.icon("flag"))
        self.setIconSize(QSize(16, 16))
        self.setAccessibleName(self.tr("Checkpoint"))
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        theme.set_role(self, "quiet")
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        self._title = menu.addAction("")
        self._title.setEnabled(False)
        self._branch = menu.addAction(theme.icon("copy-plus"), self.tr("New run from here"))
        self._branch.setToolTip(self.tr("The same past, another future: this run stays as it is"))
        self._branch.triggered.connect(lambda: self.branch.emit(self._step))
        self._back = menu.addAction(theme.icon("history"), self.tr("Roll back to here"))
        self._back.setToolTip(
            self.tr("Train on from here. What came after is kept in the folder of the run")
        )
        self._back.triggered.connect(lambda: self.roll_back.emit(self._step))
        self.setMenu(menu)
        self.show_checkpoint([], None, False)

    @property
    def step(self) -> int | None:
        """The step of the checkpoint that the menu is about."""
        return self._step

    def show_checkpoint(self, steps: Sequence[int], cursor: int | None, can_go_back: bool) -> None:
        """Of the checkpoints at `steps`, rising, the last one up to the cursor, else the first."""
        place = bisect_right(steps, cursor) if cursor is not None else len(steps)
        self._step = steps[max(place - 1, 0)] if steps else None
        self.setEnabled(self._step is not None)
        self._back.setEnabled(can_go_back)
        if self._step is None:
            self.setToolTip(self.tr("There is no checkpoint yet"))
            return
        said = self.tr("Checkpoint of step {step}").format(step=f"{self._step:,}")
        self._title.setText(said)
        self.setToolTip(self.tr("{checkpoint}: branch or roll back").format(checkpoint=said))
