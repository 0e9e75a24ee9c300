"""A picture and its words, from a local model that sees; the words can be changed and passed on."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QImageReader, QPixmap
from PySide6.QtWidgets import QLabel, QPlainTextEdit, QSizePolicy, QWidget

from engine.events import Event, Token
from engine.registry import task_class
from engine.task import Task
from engine.worker import Engine
from studio.dialogs.task_dialog import TaskDialog
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
        shown.setPixmap(_pixmap(picture))
        shown.setAlignment(Qt.AlignmentFlag.AlignCenter)
        shown.setAccessibleName(picture.name)
        shown.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.words = QPlainTextEdit()
        self.words.setPlaceholderText(self.tr("Its words appear here, to be changed as you like."))
        self.words.setAccessibleName(self.tr("Description"))
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


def _pixmap(path: Path) -> QPixmap:
    """The picture, as large as there is room for; empty where it cannot be read."""
    reader = QImageReader(str(path))
    reader.setAutoTransform(True)
    size = reader.size()
    if size.isValid() and (size.width() > SHOWN.width() or size.height() > SHOWN.height()):
        reader.setScaledSize(size.scaled(SHOWN, Qt.AspectRatioMode.KeepAspectRatio))
    return QPixmap.fromImage(reader.read())
