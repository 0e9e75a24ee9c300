"""The middle of Create: canvas, results, prompt and buttons, what goes on and what went wrong."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QImage
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from studio.theme import SPACING, icon, set_role
from studio.widgets.empty_state import EmptyState
from studio.widgets.error_box import ErrorBox
from studio.widgets.image_canvas import ZOOM_STEP, ImageCanvas
from studio.widgets.prompt_edit import PromptEdit
from studio.widgets.results_strip import ResultsStrip


class Easel(QWidget):
    """Everything but the parameters; the workspace decides what the buttons do."""

    def __init__(self, first_prompt: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.canvas = ImageCanvas()
        self.empty = EmptyState(
            "image-plus",
            self.tr("Draw something"),
            self.tr("Say below what you would like to see, or begin with an example. ")
            + self.tr("Drop an image made here to get its settings back."),
            self.tr("Draw “{}”").format(first_prompt),
        )
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(self.canvas)
        self.strip = ResultsStrip()
        self.strip.hide()
        self.errors = ErrorBox()
        self._said = QLabel()
        self._said.setTextFormat(Qt.TextFormat.PlainText)
        self._said.setWordWrap(True)
        set_role(self._said, "caption")
        self._said.hide()
        self._build_prompts()
        self._build_buttons()
        self._build_bar()
        self._lay_out()

    # ------------------------------------------------------------------ what is shown

    def show_image(self, image: QImage, path: Path) -> None:
        self.canvas.show_image(image, path)
        self._show_canvas()
        self._size.setText(f"{image.width()} × {image.height()}")

    def show_preview(self, image: QImage, size: QSize) -> None:
        self.canvas.show_preview(image, size)
        self._show_canvas()
        self._size.setText(self.tr("Preview"))

    def show_nothing(self) -> None:
        self.canvas.clear()
        self._pages.setCurrentWidget(self.empty)
        self._bar.hide()

    def show_progress(self, status: str, fraction: float | None, running: bool) -> None:
        """What is going on, in words and as a bar."""
        self._status.setText(status)
        self._progress.setVisible(running)
        self._progress.setRange(0, 0 if fraction is None else 1000)
        self._progress.setValue(round((fraction or 0) * 1000))
        self.stop_button.setVisible(running)

    def say(self, message: str) -> None:
        """A remark that needs no answer; an empty one takes the last away."""
        self._said.setText(message)
        self._said.setVisible(bool(message))

    def set_negative_prompt(self, text: str) -> None:
        self.negative_prompt.replace(text)
        if text:
            self._fold.setChecked(True)

    def show_in_folder(self) -> None:
        if self.canvas.path:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.canvas.path.parent)))

    def _show_canvas(self) -> None:
        self._pages.setCurrentWidget(self.canvas)
        self._bar.show()
        self.strip.setVisible(self.strip.count() > 0)

    def _show_zoom(self, zoom: float) -> None:
        self._zoom.setText(f"{zoom * 100:.0f} %")

    # ------------------------------------------------------------------ building

    def _build_prompts(self) -> None:
        self.prompt = PromptEdit()
        self.prompt.setObjectName("prompt")
        self.prompt.setAccessibleName(self.tr("Prompt"))
        self.prompt.setPlaceholderText(self.tr("What do you want to see?"))
        self.prompt.setToolTip(
            self.tr("What to draw. Ctrl+Enter generates, Alt+Up brings back earlier prompts.")
        )
        self.negative_prompt = PromptEdit()
        self.negative_prompt.setObjectName("negative_prompt")
        self.negative_prompt.setAccessibleName(self.tr("Negative prompt"))
        self.negative_prompt.setPlaceholderText(self.tr("What should not be in it?"))
        self.negative_prompt.setToolTip(self.tr("What the image should move away from."))
        self.negative_prompt.hide()
        self._fold = QToolButton()
        self._fold.setCheckable(True)
        self._fold.setText(self.tr("Negative prompt"))
        self._fold.setToolTip(self.tr("Also say what should not be in the image"))
        set_role(self._fold, "quiet")
        self._fold.toggled.connect(self.negative_prompt.setVisible)

    def _build_buttons(self) -> None:
        self.generate_button = QPushButton(icon("sparkles", "on_accent"), self.tr("Generate"))
        self.generate_button.setToolTip(self.tr("Draw it (Ctrl+Enter); several may wait in line"))
        set_role(self.generate_button, "primary")
        self.stop_button = QPushButton(icon("square"), self.tr("Stop"))
        self.stop_button.setToolTip(self.tr("Stop the image that is being drawn (Esc)"))
        self.stop_button.hide()
        self._status = QLabel()
        self._status.setTextFormat(Qt.TextFormat.PlainText)
        set_role(self._status, "caption")
        self._progress = QProgressBar()
        self._progress.setAccessibleName(self.tr("Progress of the image"))
        self._progress.setTextVisible(False)
        self._progress.setFixedHeight(SPACING // 2)
        self._progress.hide()

    def _build_bar(self) -> None:
        """The zoom and the size of what is on the canvas."""
        self._bar = QWidget()
        self._zoom, self._size = QLabel(), QLabel()
        for label in (self._zoom, self._size):
            set_role(label, "caption")
        self.canvas.zoom_changed.connect(self._show_zoom)
        row = QHBoxLayout(self._bar)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING // 2)
        row.addWidget(self._size)
        row.addStretch(1)
        canvas = self.canvas
        row.addWidget(
            self._tool("zoom-out", self.tr("Zoom out (-)"), lambda: canvas.zoom_by(1 / ZOOM_STEP))
        )
        row.addWidget(self._zoom)
        row.addWidget(
            self._tool("zoom-in", self.tr("Zoom in (+)"), lambda: canvas.zoom_by(ZOOM_STEP))
        )
        row.addWidget(self._tool("maximize", self.tr("Fit to the window (F)"), canvas.fit))
        self._bar.hide()

    def _tool(self, name: str, tip: str, slot: object) -> QToolButton:
        button = QToolButton()
        button.setIcon(icon(name))
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.setAutoRaise(True)
        set_role(button, "quiet")
        button.clicked.connect(slot)
        return button

    def _lay_out(self) -> None:
        prompts = QVBoxLayout()
        prompts.setSpacing(SPACING // 2)
        prompts.addWidget(self.prompt)
        prompts.addWidget(self.negative_prompt)
        row = QHBoxLayout()
        row.setSpacing(SPACING)
        row.addLayout(prompts, 1)
        row.addWidget(self.stop_button, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.generate_button, 0, Qt.AlignmentFlag.AlignTop)
        below = QHBoxLayout()
        below.addWidget(self._fold)
        below.addWidget(self._status, 1)
        below.setAlignment(self._status, Qt.AlignmentFlag.AlignRight)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*[2 * SPACING] * 4)
        layout.setSpacing(SPACING)
        layout.addWidget(self._pages, 1)
        layout.addWidget(self._bar)
        layout.addWidget(self.strip)
        layout.addWidget(self.errors)
        layout.addWidget(self._said)
        layout.addLayout(row)
        layout.addWidget(self._progress)
        layout.addLayout(below)
