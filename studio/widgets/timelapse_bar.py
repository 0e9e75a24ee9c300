"""Asks in place what kind of film to make of a run, shows how far it is, and where it lies."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from engine.errors import EngineError
from engine.task import Progress, Task
from studio import theme
from studio.widgets.error_box import ErrorBox
from studio.widgets.flow_layout import FlowLayout
from studio.widgets.number_box import indent_text

SHOWN = ("file_format", "fps", "max_frames")


class TimelapseBar(QFrame):
    """`export_requested` carries the fields of the task; the run is known to whoever listens."""

    export_requested = Signal(dict)
    cancel_requested = Signal()

    def __init__(self, task: type[Task], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.set_role(self, "card")
        self._task = task
        self.errors = ErrorBox()
        self.errors.retry.connect(self.export)
        self._format = QComboBox()
        self._format.addItems(task.field("file_format").param.options())
        self._fps = self._box("fps", 1)
        self._most = self._box("max_frames", 10)
        self._describe(self._format, "file_format")
        self._button = QPushButton(theme.icon("download"), self.tr("Export"))
        self._button.setToolTip(self.tr("Write the film and open the folder it is in"))
        self._button.clicked.connect(self.export)
        self._close = QPushButton(self.tr("Close"))
        theme.set_role(self._close, "quiet")
        self._close.setToolTip(self.tr("Put this away; a film that is being made is given up"))
        self._close.clicked.connect(self._dismiss)
        self._bar = QProgressBar()
        self._bar.setAccessibleName(self.tr("Progress of the film"))
        self._said = QLabel()
        self._said.setTextFormat(Qt.TextFormat.PlainText)
        self._said.setWordWrap(True)
        theme.set_role(self._said, "caption")
        self._lay_out()
        self.set_busy(False)
        self.hide()

    def _lay_out(self) -> None:
        fields = FlowLayout()
        for name, editor in zip(SHOWN, (self._format, self._fps, self._most), strict=True):
            fields.addWidget(self._labelled(name, editor))
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.SPACING)
        buttons.addWidget(self._close)
        buttons.addWidget(self._button)
        row = QHBoxLayout()
        row.setSpacing(theme.SPACING)
        row.addLayout(fields, 1)
        row.addLayout(buttons)
        layout = QVBoxLayout(self)
        layout.setSpacing(theme.SPACING)
        layout.addLayout(row)
        for widget in (self._bar, self._said, self.errors):
            layout.addWidget(widget)

    def open(self) -> None:
        self._said.clear()
        self._said.hide()
        self.errors.hide()
        self.show()
        self._format.setFocus()

    def export(self) -> None:
        self.errors.hide()
        self._said.hide()
        if not self._busy:
            self.export_requested.emit(
                {
                    "file_format": self._format.currentText(),
                    "fps": self._fps.value(),
                    "max_frames": self._most.value(),
                }
            )

    def set_busy(self, busy: bool) -> None:
        self._busy = busy
        self._bar.setRange(0, 0)
        self._bar.setVisible(busy)
        self._button.setEnabled(not busy)

    def show_progress(self, progress: Progress) -> None:
        self._bar.setRange(0, progress.total or 0)
        self._bar.setValue(progress.step)

    def show_saved(self, path: Path, notice: str) -> None:
        size = path.stat().st_size / 1e6
        saved = self.tr("Saved {name}, {size} MB.").format(name=path.name, size=f"{size:.1f}")
        self.say(" ".join(part for part in (saved, notice) if part))

    def say(self, text: str) -> None:
        self._said.setText(text)
        self._said.show()

    def show_error(self, error: EngineError) -> None:
        self.errors.show_error(error)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._dismiss()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.export()
        else:
            super().keyPressEvent(event)

    def _dismiss(self) -> None:
        self.cancel_requested.emit()
        self.hide()

    def _box(self, name: str, step: int) -> QSpinBox:
        field = self._task.field(name)
        box = QSpinBox()
        indent_text(box)
        box.setRange(int(field.param.minimum or 0), int(field.param.maximum or 0))
        box.setValue(field.default)
        box.setSingleStep(step)
        self._describe(box, name)
        return box

    def _describe(self, editor: QWidget, name: str) -> None:
        param = self._task.field(name).param
        editor.setToolTip(param.help)
        editor.setAccessibleName(param.label)

    def _labelled(self, name: str, editor: QWidget) -> QWidget:
        label = QLabel(self._task.field(name).param.label)
        label.setBuddy(editor)
        theme.set_role(label, "caption")
        pair = QWidget()
        row = QHBoxLayout(pair)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.SPACING)
        row.addWidget(label)
        row.addWidget(editor)
        return pair
