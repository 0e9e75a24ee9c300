"""A picture and its words, from a local model that sees; the words can be changed and passed on."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QImage, QPixmap
from PySide6.QtWidgets import QLabel, QPlainTextEdit, QSizePolicy, QWidget

from engine.events import Event, Token
from engine.registry import task_class
from engine.task import Task
from engine.worker import Engine
from studio.dialogs.task_dialog import TaskDialog
from studio.image_reader import ImageReader
from studio.settings import Settings
from studio.theme import SPACING

SHOWN = QSize(72 * SPACING, 40 * SPACING)
"""The largest that a picture is shown."""


class DescribingDialog(TaskDialog):
    """`prompt_wanted` carries the words to Create, `text_wanted` to Write."""

    prompt_wanted = Signal(str)
    text_wanted = Signal(str)
    notes_wanted = Signal(str)

    def __init__(
        self, engine: Engine, settings: Settings, picture: Path, parent: QWidget, notes: bool
    ) -> None:
        """`notes`: whether the words can become the notes of the picture."""
        describes = task_class("describe_image")
        super().__init__(
            engine, settings, describes, self.tr("Describe"), parent, exclude=("image",)
        )
        self._picture = picture
        shown = QLabel()
        shown.setAlignment(Qt.AlignmentFlag.AlignCenter)
        shown.setAccessibleName(picture.name)
        shown.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.words = QPlainTextEdit()
        self.words.setPlaceholderText(self.tr("Its words appear here, to be changed as you like."))
        self.words.setAccessibleName(self.tr("Description"))
        self._reader = ImageReader(self)
        self._reader.failed.connect(lambda e: self.errors.show_error(e, can_retry=False))
        self._reader.read(picture, lambda image: shown.setPixmap(_fitted(image)))
        self.content.addWidget(shown)
        self.content.addWidget(self.words, 1)
        copy = self.add_button("copy", self.tr("Copy"), self.tr("Copy the words"))
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.text()))
        ways = [
            ("brush", self.tr("Draw"), self.tr("Make them the prompt of Create"), "prompt_wanted"),
            ("pen-line", self.tr("Write"), self.tr("Put them into the text"), "text_wanted"),
        ]
        if notes:
            tip = self.tr("Make them the notes of the picture, by which the gallery finds it")
            ways.append(("star", self.tr("Note"), tip, "notes_wanted"))
        self._ways = [copy]
        for icon, text, tip, signal in ways:
            button = self.add_button(icon, text, tip)
            button.clicked.connect(lambda _=False, s=signal: getattr(self, s).emit(self.text()))
            self._ways.append(button)
        self.words.textChanged.connect(self._enable)
        self._enable()

    def text(self) -> str:
        return self.words.toPlainText().strip()

    def further_fields(self) -> dict[str, object]:
        return {"image": str(self._picture)}

    def begin(self, task: Task) -> None:
        self.words.setPlainText("")

    def hear(self, event: Event) -> None:
        if isinstance(event, Token):
            self.words.insertPlainText(event.text)

    def _enable(self) -> None:
        for button in self._ways:
            button.setEnabled(bool(self.text()))


def _fitted(image: QImage) -> QPixmap:
    """As large as there is room for, and never larger than it is."""
    if image.width() > SHOWN.width() or image.height() > SHOWN.height():
        image = image.scaled(
            SHOWN,
            Qt.AspectRatioMode.KeepAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
    return QPixmap.fromImage(image)
