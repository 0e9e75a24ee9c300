"""The middle of Create: canvas, results, prompt and buttons, what goes on and what went wrong."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.registry import task_class
from studio.canvas.document import Document
from studio.theme import SPACING, icon, set_role
from studio.widgets.canvas_stage import CanvasStage
from studio.widgets.drop_zones import DropZones
from studio.widgets.error_box import ErrorBox
from studio.widgets.export_bar import ExportBar
from studio.widgets.picture_view import dropped_file
from studio.widgets.prompt_edit import PromptEdit
from studio.widgets.remark import Remark
from studio.widgets.results_strip import ResultsStrip
from studio.widgets.strength_slider import StrengthSlider
from studio.widgets.style_chips import StyleChips

OPEN, LAYER, REUSE = "open", "layer", "reuse"
"""What a picture may be dropped for."""


class Easel(QWidget):
    """Everything but the parameters; the workspace decides what the buttons do."""

    dropped = Signal(str, object)  # what for, one of the zones, and the Path of the file
    undo = Signal()  # of what was said last
    example_chosen = Signal(str)

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.stage = CanvasStage(document)
        self.canvas = self.stage.view
        self.stage.example_chosen.connect(self.example_chosen)
        self.setAcceptDrops(True)
        self.canvas.setAcceptDrops(False)  # what is dropped is for the zones over it
        self._build_zones()
        self.strip = ResultsStrip()
        self._results = QWidget()
        self._results.hide()
        self._results_row = QHBoxLayout(self._results)
        self._results_row.setContentsMargins(0, 0, 0, 0)
        self._results_row.setSpacing(SPACING // 2)
        self._results_row.addWidget(self.strip, 1)
        self.export_bar = ExportBar(task_class("export_image"))
        self.errors = ErrorBox()
        self.remark = Remark()
        self.remark.undo.connect(self.undo)
        self.strength = StrengthSlider(document.undo_stack)
        self.strength.hide()
        self._build_prompts()
        self._build_buttons()
        self._lay_out()

    # ------------------------------------------------------------------ what is shown

    def show_progress(self, status: str, fraction: float | None, running: bool) -> None:
        """What is going on, in words and as a bar."""
        self._status.setText(status)
        self._progress.setRange(0, 0 if running and fraction is None else 1000)
        self._progress.setValue(round((fraction or 0) * 1000))
        self.stop_button.setVisible(running)

    def show_meaning(self, text: str, tip: str, *, strength: bool) -> None:
        """What Generate will do, and whether there is anything to keep a part of."""
        self.generate_button.setText(text)
        self.generate_button.setToolTip(tip)
        self.strength.setVisible(strength)

    def add_result(self, path: Path, prompt: str = "") -> None:
        self.strip.add(path, prompt)
        self._results.show()

    def show_results(self, any_picture: bool) -> None:
        """The results and what can be done with them, once there is something to do it to."""
        self._results.setVisible(any_picture or self.strip.count() > 0)

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
        self.remark.say(message, undo=undo)

    def set_negative_prompt(self, text: str) -> None:
        self.negative_prompt.replace(text)
        if text:
            self._fold.setChecked(True)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Over a picture there is a choice; what the canvas itself gives away is not taken back."""
        if event.source() is not self.canvas and dropped_file(event.mimeData()):
            event.acceptProposedAction()
            if self.stage.has_picture:
                self.zones.offer()

    def dropEvent(self, event: QDropEvent) -> None:
        path = dropped_file(event.mimeData())
        if path:
            event.acceptProposedAction()
            self.zones.hide()
            self.dropped.emit(OPEN, path)

    # ------------------------------------------------------------------ building

    def _build_zones(self) -> None:
        zones = {
            OPEN: (self.tr("Open"), self.tr("Go on with this picture instead")),
            LAYER: (self.tr("Add as a layer"), self.tr("Lay it over what is here")),
            REUSE: (self.tr("Use its settings"), self.tr("Take over how it was made")),
        }
        self.zones = DropZones(zones, self.stage)
        self.zones.chosen.connect(self.dropped)

    def _build_prompts(self) -> None:
        self.prompt = PromptEdit()
        self.prompt.setObjectName("prompt")
        self.prompt.setAccessibleName(self.tr("Prompt"))
        self.prompt.setPlaceholderText(self.tr("What do you want to see?"))
        self.prompt.setToolTip(
            self.tr("What to draw; {red|blue} and __animal__ are drawn by the seed. ")
            + self.tr("Ctrl+Enter generates, Ctrl+Up and Ctrl+Down weigh a word, ")
            + self.tr("Alt+Up brings back earlier prompts.")
        )
        self.negative_prompt = PromptEdit()
        self.negative_prompt.setObjectName("negative_prompt")
        self.negative_prompt.setAccessibleName(self.tr("Negative prompt"))
        self.negative_prompt.setPlaceholderText(self.tr("What should not be in it?"))
        self.negative_prompt.setToolTip(self.tr("What the image should move away from."))
        self.negative_prompt.hide()
        self.styles = StyleChips()
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
        self.generate_button.setObjectName("generate")
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

    def _lay_out(self) -> None:
        desk = QFrame()
        set_role(desk, "desk")
        column = QVBoxLayout(desk)
        column.setContentsMargins(2 * SPACING, SPACING, 2 * SPACING, SPACING)
        column.setSpacing(SPACING)
        for widget in (self._results, self.export_bar, self.errors, self.remark):
            column.addWidget(widget)
        column.addLayout(self._prompt_row())
        self.below = QHBoxLayout()
        self.below.setSpacing(2 * SPACING)
        for widget in (self._fold, self.styles):
            self.below.addWidget(widget, 0, Qt.AlignmentFlag.AlignVCenter)
        self.below.addStretch(1)
        self.below.addWidget(self._status)
        self.below.addWidget(self.strength)
        column.addLayout(self.below)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.stage, 1)
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
