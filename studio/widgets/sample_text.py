"""Shows the text sample of a step; files are read off the GUI thread."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from studio import theme
from studio.background import Background

MOST_BYTES = 200_000  # of a text that is shown


class SampleText(QWidget):
    """What a language model wrote at one step, with its caption. `show_sample` may be called at
    any rate: while scrubbing, what has been gone past is not read."""

    shown = Signal(object)  # the Path of the text that is now on the screen

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._page = QPlainTextEdit(readOnly=True)  # plain: nothing in a text is markup
        self._page.setAccessibleName(self.tr("Sample"))
        self._page.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._caption = QLabel()
        self._caption.setTextFormat(Qt.TextFormat.PlainText)
        self._caption.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._caption.setWordWrap(True)
        theme.set_role(self._caption, "caption")
        self._wanted: Path | None = None
        self._background = Background(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.SPACING)
        layout.addWidget(self._page, 1)
        layout.addWidget(self._caption)

    @property
    def text(self) -> str:
        """What is on the screen."""
        return self._page.toPlainText()

    @property
    def caption(self) -> str:
        return self._caption.text()

    def clear(self) -> None:
        self._wanted = None
        self._page.clear()
        self._caption.clear()

    def show_sample(self, path: Path, caption: str) -> None:
        self._wanted = path
        self._caption.setText(caption)
        self._background.run(lambda: self._read(path), self._take)

    def _read(self, path: Path) -> tuple[Path, str | OSError | None]:
        """The text, or why it cannot be read; None when the scrub has gone past it."""
        if path != self._wanted:
            return path, None
        try:
            with open(path, "rb") as stream:
                return path, stream.read(MOST_BYTES).decode("utf-8", "replace")
        except OSError as error:
            return path, error

    def _take(self, result: tuple[Path, str | OSError | None]) -> None:
        path, text = result
        if path != self._wanted or text is None:
            return
        if isinstance(text, OSError):
            self._page.clear()
            self._caption.setText(
                self.tr("{path} cannot be shown: {reason}").format(path=path, reason=text.strerror)
            )
            return
        place = self._page.verticalScrollBar().value()
        self._page.setPlainText(text)
        self._page.verticalScrollBar().setValue(place)  # the same prompt, another step
        self.shown.emit(path)
