"""The status bar: what is being made, how much memory is free, and that all of it stays here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QLabel, QStatusBar, QWidget

from engine import memory
from engine.task import Task
from studio import theme

MEMORY_EVERY = 5000  # milliseconds between two looks at the free memory


class StatusLine(QStatusBar):
    """Asks to be told of the running tasks by `show_active`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self._online = False
        self._activity = QLabel()
        self._activity.setTextFormat(Qt.TextFormat.PlainText)
        self._machine = QLabel()
        for label in (self._activity, self._machine):
            theme.set_role(label, "caption")
            label.setContentsMargins(theme.SPACING, 0, theme.SPACING, 0)
        self.addWidget(self._activity, 1)
        self.addPermanentWidget(self._machine)
        timer = QTimer(self)
        timer.timeout.connect(self._show_memory)
        timer.start(MEMORY_EVERY)
        self._show_memory()
        self.show_active([])

    def show_active(self, tasks: Sequence[Task]) -> None:
        """Name what is being made now."""
        self._online = any(task.online for task in tasks)
        self._show_memory()
        if not tasks:
            self._activity.setText(self.tr("Ready"))
            return
        counted = Counter(task.title for task in tasks)
        self._activity.setText(
            ", ".join(title if n == 1 else f"{title} ×{n}" for title, n in counted.items())
        )

    def _show_memory(self) -> None:
        free = self.tr("{:.1f} GB free").format(memory.free_memory() / 1e9)
        network = self.tr("fetching") if self._online else self.tr("offline")
        self._machine.setText(f"{free} · {network}")
        here = self.tr("Everything runs on this machine; nothing is sent anywhere.")
        fetching = self.tr("What you asked for is being fetched; all else runs on this machine.")
        self._machine.setToolTip(fetching if self._online else here)
