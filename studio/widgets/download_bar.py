"""The bar of a download, whose bytes may be more than a bar can count."""

from __future__ import annotations

from PySide6.QtWidgets import QProgressBar, QWidget

from engine.events import Progress

STEPS = 1000  # a bar counts in 32 bits, a file may have more bytes


class DownloadBar(QProgressBar):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextVisible(False)
        self.setAccessibleName(self.tr("Progress of the download"))

    def show_progress(self, progress: Progress) -> None:
        """Busy without a number where it is not known how much there is."""
        self.setRange(0, STEPS if progress.total else 0)
        if progress.total:
            self.setValue(min(STEPS, STEPS * progress.step // progress.total))
