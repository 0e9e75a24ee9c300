"""The rows for paths: typed, browsed for, or dropped from a file manager."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QToolButton,
    QWidget,
)

from engine.task import Field
from studio.theme import SPACING, icon
from studio.widgets.choice_editor import ChoiceEditor
from studio.widgets.field_editors import FieldEditor


class PathEditor(FieldEditor):
    """The path of a file, a folder, or a model that is either."""

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        self._line = QLineEdit()
        self._line.setAcceptDrops(False)  # the row takes them
        self._line.textChanged.connect(self._edited)
        self.setAcceptDrops(True)
        row = QHBoxLayout()
        row.setSpacing(SPACING // 2)
        row.addWidget(self._line, 1)
        row.addWidget(_browse_button(self, field.param.kind))
        self.column.addLayout(row)
        self._adopt(self._line)

    def value(self) -> str:
        return self._line.text().strip()

    def show_value(self, value: str) -> None:
        if value != self._line.text():
            self._line.setText(value)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        _accept_path(event)

    def dropEvent(self, event: QDropEvent) -> None:
        self.show_value(_dropped_path(event))


class PathChoiceEditor(ChoiceEditor):
    """One of those that are known, such as the models here, or the path of another one."""

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        self.row.addWidget(_browse_button(self, field.param.kind))
        for line in self.findChildren(QLineEdit):
            line.setAcceptDrops(False)  # the row takes them
        self.setAcceptDrops(True)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        _accept_path(event)

    def dropEvent(self, event: QDropEvent) -> None:
        self.show_value(_dropped_path(event))


def _browse_button(editor: FieldEditor, kind: str) -> QToolButton:
    button = QToolButton()
    button.setIcon(icon("folder-open", "muted"))
    button.setIconSize(QSize(16, 16))
    button.setToolTip(editor.tr("Browse…"))
    button.setAccessibleName(editor.tr("Browse for {label}").format(label=editor.field.param.label))

    def show(path: str) -> None:
        if path:
            editor.show_value(path)

    def choose_file() -> None:
        show(QFileDialog.getOpenFileName(editor, editor.field.param.label)[0])

    def choose_folder() -> None:
        show(QFileDialog.getExistingDirectory(editor, editor.field.param.label))

    if kind == "model":
        menu = QMenu(button)
        menu.addAction(icon("folder-open", "muted"), editor.tr("Folder…"), choose_folder)
        menu.addAction(icon("file", "muted"), editor.tr("File…"), choose_file)
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    else:
        button.clicked.connect(choose_folder if kind == "folder" else choose_file)
    return button


def _accept_path(event: QDragEnterEvent) -> None:
    urls = event.mimeData().urls()
    if len(urls) == 1 and urls[0].isLocalFile():
        event.acceptProposedAction()


def _dropped_path(event: QDropEvent) -> str:
    event.acceptProposedAction()
    return event.mimeData().urls()[0].toLocalFile()
