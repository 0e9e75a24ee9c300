"""Where a person says what the model should write: a line that grows, and the two ways to start."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QToolButton, QWidget

from studio.theme import SPACING, icon, set_role
from studio.widgets.prompt_edit import PromptEdit


class AskBox(QWidget):
    """`asked` on Write, `continued` on Continue; the keys for both are the workspace's."""

    asked = Signal()
    continued = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.prompt = PromptEdit()
        self.prompt.setPlaceholderText(self.tr("Ask the model to write …"))
        self.prompt.setToolTip(
            self.tr(
                "What the model should write. Ctrl+Enter starts it, "
                "Alt+Up brings back earlier prompts."
            )
        )
        self.prompt.setAccessibleName(self.tr("Prompt"))
        self.write_button = QPushButton(icon("sparkles", "on_accent"), self.tr("Write"))
        self.write_button.setToolTip(
            self.tr("The model writes what you asked for, under your paragraph (Ctrl+Enter)")
        )
        set_role(self.write_button, "primary")
        self.write_button.clicked.connect(self.asked)
        self.templates_button = QToolButton()
        self.templates_button.setIcon(icon("file-text", "muted"))
        self.templates_button.setToolTip(self.tr("Templates: prompts to fill in (Ctrl+T)"))
        self.templates_button.setAccessibleName(self.tr("Templates"))
        self.templates_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        set_role(self.templates_button, "quiet")
        self.continue_button = QPushButton(self.tr("Continue"))
        self.continue_button.setToolTip(
            self.tr("The model goes on from the cursor (Ctrl+Shift+Enter)")
        )
        self.continue_button.clicked.connect(self.continued)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING)
        row.addWidget(self.prompt, 1)
        row.addWidget(self.templates_button, 0, Qt.AlignmentFlag.AlignBottom)
        row.addWidget(self.continue_button, 0, Qt.AlignmentFlag.AlignBottom)
        row.addWidget(self.write_button, 0, Qt.AlignmentFlag.AlignBottom)
        self.setFocusProxy(self.prompt)

    def set_ready(self, ready: bool) -> None:
        """While a text is being written, no other can be started here."""
        self.write_button.setEnabled(ready)
        self.continue_button.setEnabled(ready)
