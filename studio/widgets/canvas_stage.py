"""Where the picture is made: tools at its left, their options above, decisions below."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine import folders
from studio.canvas.document import Document
from studio.canvas.view import CanvasView
from studio.theme import SPACING, icon, set_role
from studio.widgets.empty_state import EmptyState
from studio.widgets.staging_bar import StagingBar


class CanvasStage(QWidget):
    """Shows what can be done first, then words while there is nothing to see, then the canvas."""

    example_chosen = Signal(str)
    empty_wanted = Signal()  # a canvas to paint on

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = CanvasView(document)
        self.staging_bar = StagingBar()
        self._words = QLabel()
        self._words.setTextFormat(Qt.TextFormat.PlainText)
        self._words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        set_role(self._words, "caption")
        self._build_empty()
        self._workbench = QWidget()
        self._grid = QGridLayout(self._workbench)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(0)
        self._grid.addWidget(self.view, 1, 1)
        self._pages = QStackedWidget()
        for page in (self.empty, self._words, self._workbench):
            self._pages.addWidget(page)
        self._build_bar()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._pages)

    def hasHeightForWidth(self) -> bool:
        """Its pages wrap their words, but none is so high that what stands below may suffer."""
        return False

    def set_tools(self, tool_bar: QWidget, options: QWidget) -> None:
        self._grid.addWidget(tool_bar, 0, 0, 2, 1)
        self._grid.addWidget(options, 0, 1)
        self._grid.setRowStretch(1, 1)  # else high tools make the options high too

    # ------------------------------------------------------------------ what is shown

    @property
    def has_picture(self) -> bool:
        return self._pages.currentWidget() is self._workbench

    def show_picture(self, size: QSize | None) -> None:
        """The canvas; `size` is None while it is not known how large the picture will be."""
        self._pages.setCurrentWidget(self._workbench)
        half_made = size is None
        words = self.tr("Preview")
        if size is not None:
            words = self.tr("{} × {}").format(size.width(), size.height())
        self._size.setText(words)
        self._zoom.setVisible(not half_made)

    def show_staging(self, index: int, count: int, *, comparable: bool) -> None:
        """Which of how many results waits for a decision; none with a count of 0."""
        self.staging_bar.show_place(index, count)
        self.staging_bar.set_comparable(comparable)
        focus = QApplication.focusWidget()
        if count == 0 and focus and self.staging_bar.isAncestorOf(focus):
            self.view.setFocus()  # where Qt would send it is no place a person has chosen
        self.staging_bar.setVisible(count > 0)

    def show_words(self, words: str) -> None:
        """What is going on, where there is no picture yet."""
        self._words.setText(words)
        self._pages.setCurrentWidget(self._words)

    def show_nothing(self) -> None:
        self._pages.setCurrentWidget(self.empty)

    def _show_zoom(self, zoom: float) -> None:
        self._zoom.setText(f"{zoom * 100:.0f} %")

    # ------------------------------------------------------------------ building

    def _build_empty(self) -> None:
        examples = (folders.RESOURCES / "example_prompts.txt").read_text(encoding="utf-8")
        first, *others = examples.splitlines()
        self.empty = EmptyState(
            "image-plus",
            self.tr("Draw something"),
            self.tr("Say below what you would like to see, or begin with an example. ")
            + self.tr("Drop a picture here to go on with it."),
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
        paint = QPushButton(icon("brush", "muted"), self.tr("White canvas"))
        paint.setToolTip(self.tr("Begin with a white canvas and paint on it"))
        set_role(paint, "quiet")
        paint.clicked.connect(self.empty_wanted)
        row.addWidget(paint)

    def _build_bar(self) -> None:
        """Size and zoom float in the corner, what is to be decided in the middle."""
        bar = QFrame()
        set_role(bar, "card")
        self._zoom, self._size = QLabel(), QLabel()
        for label in (self._zoom, self._size):
            set_role(label, "caption")
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._zoom.setMinimumWidth(6 * SPACING)
        self.view.zoom_changed.connect(self._show_zoom)
        row = QHBoxLayout(bar)
        row.setContentsMargins(SPACING, SPACING // 4, SPACING // 4, SPACING // 4)
        row.setSpacing(0)
        row.addWidget(self._size)
        row.addSpacing(SPACING)
        for name, tip, slot in (
            ("zoom-out", self.tr("Zoom out (-)"), self.view.zoom_out),
            ("zoom-in", self.tr("Zoom in (+)"), self.view.zoom_in),
            ("maximize", self.tr("Fit to the window (F)"), self.view.fit),
        ):
            row.addWidget(_tool(name, tip, slot))
        row.insertWidget(3, self._zoom)
        below = Qt.AlignmentFlag.AlignBottom
        edge = QHBoxLayout(self.view)
        edge.setContentsMargins(*[SPACING] * 4)
        edge.addStretch(1)
        edge.addWidget(self.staging_bar, 0, below)
        edge.addStretch(1)
        edge.addWidget(bar, 0, below)
        # Always, or the picture would move under the hand when a result comes or goes.
        self.view.viewport.cover(self.staging_bar.sizeHint().height())


def _tool(name: str, tip: str, slot: object) -> QToolButton:
    button = QToolButton()
    button.setIcon(icon(name, "muted"))
    button.setToolTip(tip)
    button.setAccessibleName(tip)
    set_role(button, "quiet")
    button.clicked.connect(slot)
    return button
