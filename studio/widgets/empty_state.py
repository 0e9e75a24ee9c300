"""What an empty place says: what can be done here, and the one button that does it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from studio import theme


class EmptyState(QWidget):
    """An icon, a title, a sentence and a button."""

    triggered = Signal()

    def __init__(
        self, icon: str, title: str, text: str, action: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._icon = icon
        self._picture = QLabel()
        heading = QLabel(title)
        theme.set_role(heading, "title")
        explanation = QLabel(text)
        explanation.setWordWrap(True)
        explanation.setFixedWidth(52 * theme.SPACING)
        theme.set_role(explanation, "caption")
        self.button = QPushButton(action)
        self.button.setToolTip(text)
        self.button.clicked.connect(self.triggered)
        theme.set_role(self.button, "primary")
        layout = QVBoxLayout(self)
        layout.setSpacing(2 * theme.SPACING)
        layout.addStretch(2)
        for widget in (self._picture, heading, explanation, self.button):
            if isinstance(widget, QLabel):
                widget.setAlignment(Qt.AlignmentFlag.AlignCenter)
            row = QHBoxLayout()  # an alignment instead would ignore the height that words need
            row.addStretch(1)
            row.addWidget(widget)
            row.addStretch(1)
            layout.addLayout(row)
        self._others = QHBoxLayout()
        layout.addLayout(self._others)
        layout.addStretch(3)
        self._paint_icon()

    def add_row(self) -> QHBoxLayout:
        """A centred row under the button, for what else can be done."""
        row = QHBoxLayout()
        self._others.addStretch(1)
        self._others.addLayout(row)
        self._others.addStretch(1)
        return row

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_picture"):
            self._paint_icon()

    def _paint_icon(self) -> None:
        size = QSize(6 * theme.SPACING, 6 * theme.SPACING)
        color = theme.colors().accent_text
        self._picture.setPixmap(
            theme.icon_pixmap(self._icon, color, size, self.devicePixelRatioF())
        )
