"""How pictures are exported: the format and what it loses, asked where the pictures are."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from engine.task import Task
from studio.theme import SPACING, icon, set_role
from studio.widgets.number_box import only_when_focused


class ExportBar(QFrame):
    """Hidden until there is something to export. Its choices are fields of `export_image`."""

    wanted = Signal()
    changed = Signal()
    cancelled = Signal()

    def __init__(self, exports: type[Task], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "notice")
        self._exports = exports
        self.paths: list[Path] = []
        self._what = QLabel()
        self._what.setTextFormat(Qt.TextFormat.PlainText)
        self._format = QComboBox()
        self._format.addItems(list(exports.field("file_format").param.options()))
        only_when_focused(self._format)
        self._lossless = QCheckBox(exports.field("lossless").param.label)
        self._quality = QSpinBox(minimum=1, maximum=100)
        only_when_focused(self._quality)
        self._keep = QCheckBox(exports.field("keep_settings").param.label)
        self._go = QPushButton(self.tr("Export to…"))
        self._go.setToolTip(self.tr("Choose where to, and export"))
        set_role(self._go, "primary")
        self._go.clicked.connect(self.wanted)
        self._close = QPushButton(icon("x", "muted"), "")
        set_role(self._close, "quiet")
        self._close.clicked.connect(self._leave)
        self._lay_out()
        self._format.currentTextChanged.connect(self._show_choices)
        self._lossless.toggled.connect(self._show_choices)
        for signal in (
            self._format.currentTextChanged,
            self._lossless.toggled,
            self._quality.valueChanged,
            self._keep.toggled,
        ):
            signal.connect(self.changed)
        self.set_values({field.name: field.default for field in exports.fields()})
        self.set_running(False)
        self.hide()

    def ask(self, paths: list[Path]) -> None:
        """Show the choices for these pictures."""
        self.paths = paths
        words = self.tr("Export {}").format(paths[0].name)
        if len(paths) > 1:
            words = self.tr("Export {} pictures").format(len(paths))
        self._what.setText(words)
        if not self.isVisible():
            self.show()
            self._format.setFocus()

    def values(self) -> dict[str, Any]:
        return {
            "file_format": self._format.currentText(),
            "lossless": self._lossless.isChecked(),
            "quality": self._quality.value(),
            "keep_settings": self._keep.isChecked(),
        }

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Show these choices; what is missing or of another kind stays as it is."""
        known = self.values()
        usable = {k: v for k, v in values.items() if type(v) is type(known.get(k))}
        self._format.setCurrentText(usable.get("file_format", known["file_format"]))
        self._lossless.setChecked(usable.get("lossless", known["lossless"]))
        self._quality.setValue(usable.get("quality", known["quality"]))
        self._keep.setChecked(usable.get("keep_settings", known["keep_settings"]))
        self._show_choices()

    def set_running(self, running: bool) -> None:
        """While it exports the only choice is to stop."""
        self._running = running
        for widget in (self._format, self._lossless, self._quality, self._keep, self._go):
            widget.setEnabled(not running)
        tip = self.tr("Stop exporting") if running else self.tr("Do not export")
        self._close.setToolTip(tip)
        self._close.setAccessibleName(tip)

    def _leave(self) -> None:
        if self._running:
            self.cancelled.emit()
        self.hide()

    def _show_choices(self) -> None:
        """PNG loses nothing, JPEG always something; of WebP it can be chosen."""
        name = self._format.currentText()
        self._lossless.setVisible(name == "WebP")
        loses = name == "JPEG" or (name == "WebP" and not self._lossless.isChecked())
        self._quality_label.setVisible(loses)
        self._quality.setVisible(loses)

    def _lay_out(self) -> None:
        """What and where to above, in what form below: both fit into a narrow window."""
        self._quality_label = QLabel(self.tr("Quality"))
        self._what.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        above, below = QHBoxLayout(), QHBoxLayout()
        above.addWidget(self._what, 1)
        above.addWidget(self._go)
        above.addWidget(self._close)
        for widget, name in (
            (self._format, "file_format"),
            (self._lossless, "lossless"),
            (self._quality_label, "quality"),
            (self._quality, "quality"),
            (self._keep, "keep_settings"),
        ):
            param = self._exports.field(name).param
            widget.setToolTip(textwrap.fill(param.help, 60))
            if widget is not self._quality_label:
                widget.setAccessibleName(param.label)
            below.addWidget(widget)
        below.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACING)
        for row in (above, below):
            row.setSpacing(SPACING)
            column.addLayout(row)
