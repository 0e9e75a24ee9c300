"""A button for what a person may want because of what stands above it."""

from __future__ import annotations

from PySide6.QtCore import SignalInstance
from PySide6.QtWidgets import QPushButton, QSizePolicy

from studio.theme import icon, set_role


class OfferButton(QPushButton):
    """In sight only while there is an offer."""

    def __init__(self, taken: SignalInstance) -> None:
        super().__init__(icon("check", "muted"), "")
        set_role(self, "quiet")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.clicked.connect(taken)

    def say(self, text: str, tooltip: str) -> None:
        self.setText(text)
        self.setToolTip(tooltip)
        self.setVisible(bool(text))
