"""The middle of Create: canvas, results, prompt and buttons, what goes on and what went wrong."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Qt, QUrl, Signal
from PySide6.QtGui import QAction, QDesktopServices, QDragEnterEvent, QDropEvent, QImage
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine import folders
from engine.registry import task_class
from studio.theme import SPACING, icon, set_role
from studio.widgets.empty_state import EmptyState
from studio.widgets.error_box import ErrorBox
from studio.widgets.export_bar import ExportBar
from studio.widgets.image_canvas import ImageCanvas, dropped_file
from studio.widgets.prompt_edit import PromptEdit
from studio.widgets.results_strip import ResultsStrip
from studio.widgets.style_button import StyleButton


class Easel(QWidget):
    """Everything but the parameters; the workspace decides what the buttons do."""

    dropped = Signal(object)  # the Path of a file that was dropped anywhere here
    undo = Signal()  # of what was said last
    example_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.canvas = ImageCanvas()
        self._build_empty()
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(self.canvas)
        self.setAcceptDrops(True)
        self.canvas.dropped.connect(self.dropped)
        self.strip = ResultsStrip()
        self._results = QWidget()
        self._results.hide()
        self._results_row = QHBoxLayout(self._results)
        self._results_row.setContentsMargins(0, 0, 0, 0)
        self._results_row.setSpacing(SPACING // 2)
        self._results_row.addWidget(self.strip, 1)
        self.export_bar = ExportBar(task_class("export_image"))
        self.errors = ErrorBox()
        self._build_remark()
        self._build_prompts()
        self._build_buttons()
        self._build_bar()
        self._lay_out()

    # ------------------------------------------------------------------ what is shown

    def show_image(self, image: QImage, path: Path) -> None:
        self.canvas.show_image(image, path)
        self.strip.select(path)
        self._show_canvas(self.tr("{} × {}").format(image.width(), image.height()))

    def show_preview(self, image: QImage, size: QSize) -> None:
        self.canvas.show_preview(image, size)
        self._show_canvas(self.tr("Preview"))
        self._zoom.clear()  # of an image whose size may not be known yet

    def show_nothing(self) -> None:
        self.canvas.clear()
        self._bar.hide()
        self._pages.setCurrentWidget(self.empty)

    def show_progress(self, status: str, fraction: float | None, running: bool) -> None:
        """What is going on, in words and as a bar."""
        self._status.setText(status)
        self._progress.setRange(0, 0 if running and fraction is None else 1000)
        self._progress.setValue(round((fraction or 0) * 1000))
        self.stop_button.setVisible(running)
        self.canvas.set_words(status)
        if self.canvas.image.isNull():
            self._pages.setCurrentWidget(self.canvas if running else self.empty)

    def add_result(self, path: Path, prompt: str = "") -> None:
        self.strip.add(path, prompt)
        self._results.show()

    def add_deeds(self, actions: list[QAction]) -> None:
        """Buttons beside the results, for what can be done with the marked ones."""
        for action in actions:
            button = QToolButton()
            button.setDefaultAction(action)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
            button.setAccessibleName(action.text())
            set_role(button, "quiet")
            self._results_row.addWidget(button)

    def say(self, message: str, *, undo: bool = False) -> None:
        """A remark that needs no answer; an empty one takes the last away."""
        self._said.setText(message)
        self._undo_button.setVisible(undo)
        self._remark.setVisible(bool(message))

    def set_negative_prompt(self, text: str) -> None:
        self.negative_prompt.replace(text)
        if text:
            self._fold.setChecked(True)

    def show_in_folder(self) -> None:
        if self.canvas.path:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.canvas.path.parent)))

    def _show_canvas(self, size: str) -> None:
        self._pages.setCurrentWidget(self.canvas)
        self._size.setText(size)
        self._bar.show()

    def _show_zoom(self, zoom: float) -> None:
        self._zoom.setText("" if self.canvas.is_preview else f"{zoom * 100:.0f} %")

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        source = event.source()
        own = isinstance(source, QWidget) and self.isAncestorOf(source)
        if not own and dropped_file(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = dropped_file(event.mimeData())
        if path:
            event.acceptProposedAction()
            self.dropped.emit(path)

    # ------------------------------------------------------------------ building

    def _build_empty(self) -> None:
        examples = (folders.RESOURCES / "example_prompts.txt").read_text(encoding="utf-8")
        first, *others = examples.splitlines()
        self.empty = EmptyState(
            "image-plus",
            self.tr("Draw something"),
            self.tr("Say below what you would like to see, or begin with an example. ")
            + self.tr("Drop an image made here to get its settings back."),
            self.tr("Draw “{}”").format(first),
        )
        self.empty.triggered.connect(lambda: self.example_chosen.emit(first))
        row = self.empty.add_row()
        for prompt in others:
            button = QPushButton(prompt)
            button.setToolTip(self.tr("Draw “{}”").format(prompt))
            set_role(button, "quiet")
            button.clicked.connect(lambda _=False, prompt=prompt: self.example_chosen.emit(prompt))
            row.addWidget(button)

    def _build_remark(self) -> None:
        self._said = QLabel()
        self._said.setTextFormat(Qt.TextFormat.PlainText)
        self._said.setWordWrap(True)
        set_role(self._said, "caption")
        self._undo_button = QPushButton(icon("undo-2", "muted"), self.tr("Undo"))
        self._undo_button.setToolTip(self.tr("Bring the former settings back"))
        set_role(self._undo_button, "quiet")
        self._undo_button.clicked.connect(self.undo)
        self._remark = QWidget()
        row = QHBoxLayout(self._remark)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._said, 1)
        row.addWidget(self._undo_button)
        row.addWidget(self._tool("x", self.tr("Hide this remark"), self._remark.hide))
        self._remark.hide()

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
        self.style_button = StyleButton()
        self._fold = QToolButton()
        self._fold.setCheckable(True)
        self._fold.setText(self.tr("Negative prompt"))
        self._fold.setToolTip(self.tr("Also say what should not be in the image"))
        self._fold.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        set_role(self._fold, "fold")
        self._fold.toggled.connect(self._show_negative)
        self._show_negative(False)

    def _show_negative(self, shown: bool) -> None:
        self._fold.setIcon(icon("chevron-down" if shown else "chevron-right", "muted"))
        self.negative_prompt.setVisible(shown)

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
        set_role(self._progress, "edge")

    def _build_bar(self) -> None:
        """The size and the zoom of what is on the canvas, floating in its corner."""
        canvas = self.canvas
        self._bar = QFrame()
        set_role(self._bar, "card")
        self._zoom, self._size = QLabel(), QLabel()
        for label in (self._zoom, self._size):
            set_role(label, "caption")
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._zoom.setMinimumWidth(6 * SPACING)
        canvas.zoom_changed.connect(self._show_zoom)
        row = QHBoxLayout(self._bar)
        row.setContentsMargins(SPACING, SPACING // 4, SPACING // 4, SPACING // 4)
        row.setSpacing(0)
        row.addWidget(self._size)
        row.addSpacing(SPACING)
        for name, tip, slot in (
            ("zoom-out", self.tr("Zoom out (-)"), canvas.zoom_out),
            ("zoom-in", self.tr("Zoom in (+)"), canvas.zoom_in),
            ("maximize", self.tr("Fit to the window (F)"), canvas.fit),
        ):
            row.addWidget(self._tool(name, tip, slot))
        row.insertWidget(3, self._zoom)
        corner = QGridLayout(canvas)
        corner.setContentsMargins(*[SPACING] * 4)
        corner.addWidget(
            self._bar, 0, 0, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom
        )
        self._bar.hide()

    def _tool(self, name: str, tip: str, slot: object) -> QToolButton:
        button = QToolButton()
        button.setIcon(icon(name, "muted"))
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        set_role(button, "quiet")
        button.clicked.connect(slot)
        return button

    def _lay_out(self) -> None:
        desk = QFrame()
        set_role(desk, "desk")
        column = QVBoxLayout(desk)
        column.setContentsMargins(2 * SPACING, SPACING, 2 * SPACING, SPACING)
        column.setSpacing(SPACING)
        for widget in (self._results, self.export_bar, self.errors, self._remark):
            column.addWidget(widget)
        column.addLayout(self._prompt_row())
        below = QHBoxLayout()
        below.addWidget(self._fold)
        below.addWidget(self.style_button)
        below.addStretch(1)
        below.addWidget(self._status)
        column.addLayout(below)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._pages, 1)
        layout.addWidget(self._progress)
        layout.addWidget(desk)

    def _prompt_row(self) -> QHBoxLayout:
        prompts = QVBoxLayout()
        prompts.setSpacing(SPACING // 2)
        prompts.addWidget(self.prompt)
        prompts.addWidget(self.negative_prompt)
        row = QHBoxLayout()
        row.setSpacing(SPACING)
        row.addLayout(prompts, 1)
        for button in (self.stop_button, self.generate_button):
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        return row
