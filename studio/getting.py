"""Opens the dialog that gets models of the Hub, and says when one has come."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from engine.worker import Engine


class Getting(QObject):
    use_requested = Signal(str, object)  # the workspace, and what its form is to show
    arrived = Signal()

    def __init__(self, asks: Engine, fetches: Engine, window: QWidget) -> None:
        super().__init__(window)
        self._asks, self._fetches, self._window = asks, fetches, window
        self._ended = 0
        fetches.jobs_changed.connect(self._follow_jobs)

    def show(self) -> None:
        from studio.dialogs.get_models import GetModelsDialog  # the window opens without it

        dialog = GetModelsDialog(self._asks, self._fetches, self._window)
        dialog.use_requested.connect(self.use_requested)
        dialog.show()

    def _follow_jobs(self) -> None:
        ended = sum(job.state.ended for job in self._fetches.jobs)
        if ended > self._ended:
            self.arrived.emit()
        self._ended = ended
