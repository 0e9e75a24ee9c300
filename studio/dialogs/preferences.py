"""Preferences: each takes effect at once; there is nothing to confirm."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtCore import QSize, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from engine import device, folders
from studio.settings import PARK_TRAINING, TEXT_SCALE, THEME, THREADS, Settings
from studio.theme import SPACING, icon, set_role
from studio.widgets.number_box import indent_text


class PreferencesDialog(QDialog):
    """Writes into `settings`; whoever reads a setting hears of the change from there."""

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self.setWindowTitle(self.tr("Preferences"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        form = QFormLayout()
        form.setHorizontalSpacing(3 * SPACING)
        form.setVerticalSpacing(2 * SPACING)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        _add(form, self.tr("Theme"), self._make_theme())
        _add(form, self.tr("Text size"), self._make_text_size())
        _add(
            form,
            self.tr("Threads"),
            self._make_threads(),
            self.tr(
                "Threads a model computes with. More is faster only on a machine that is idle."
            ),
        )
        _add(
            form,
            self.tr("Training"),
            self._make_park(),
            self.tr("It goes on by itself afterwards, exactly where it stopped."),
        )
        _add(form, self.tr("Results"), _folder_row(self, folders.outputs()))
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * SPACING, 3 * SPACING, 3 * SPACING, 2 * SPACING)
        column.setSpacing(3 * SPACING)
        column.addLayout(form)
        column.addStretch()
        close = QPushButton(self.tr("Close"))
        close.setToolTip(self.tr("Close this window; every change is already in effect"))
        close.clicked.connect(self.accept)
        column.addWidget(close, 0, Qt.AlignmentFlag.AlignRight)

    def sizeHint(self) -> QSize:
        return super().sizeHint().expandedTo(QSize(60 * SPACING, 0))

    def _make_theme(self) -> QComboBox:
        themes = QComboBox()
        for text, value in (
            (self.tr("Like the system"), "system"),
            (self.tr("Light"), "light"),
            (self.tr("Dark"), "dark"),
        ):
            themes.addItem(text, value)
        themes.setCurrentIndex(themes.findData(self._settings.value(THEME, "system")))
        themes.setToolTip(self.tr("Colours of the whole window"))
        themes.currentIndexChanged.connect(
            lambda: self._settings.set_value(THEME, themes.currentData())
        )
        return themes

    def _make_text_size(self) -> QSpinBox:
        size = QSpinBox(minimum=100, maximum=200, singleStep=10, suffix=" %")
        indent_text(size)
        size.setValue(self._settings.value(TEXT_SCALE, 100))
        size.setToolTip(self.tr("Size of all text, 100 to 200 %"))
        size.setKeyboardTracking(False)  # 150 is typed over 1 and 15
        size.valueChanged.connect(lambda percent: self._settings.set_value(TEXT_SCALE, percent))
        return size

    def _make_threads(self) -> QSpinBox:
        threads = QSpinBox(minimum=0, maximum=os.cpu_count() or 1)
        indent_text(threads)
        threads.setSpecialValueText(self.tr("Automatic ({})").format(device.default_threads()))
        threads.setValue(self._settings.value(THREADS, 0))
        threads.setToolTip(self.tr("Takes effect with the next job"))
        threads.valueChanged.connect(lambda number: self._settings.set_value(THREADS, number))
        return threads

    def _make_park(self) -> QCheckBox:
        park = QCheckBox(self.tr("Pause training while something is made"))
        park.setChecked(self._settings.value(PARK_TRAINING, True))
        park.setToolTip(self.tr("A text or a picture then has the whole machine for itself"))
        park.toggled.connect(lambda on: self._settings.set_value(PARK_TRAINING, on))
        return park


def _add(form: QFormLayout, label: str, field: QWidget, explanation: str = "") -> None:
    """A row: the control, and under it what it means where its name does not say it all."""
    field.setAccessibleName(label)
    cell = QWidget()
    column = QVBoxLayout(cell)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(SPACING // 2)
    column.addWidget(field)
    if explanation:
        words = QLabel(explanation)
        words.setWordWrap(True)
        set_role(words, "caption")
        column.addWidget(words)
    name = QLabel(label)
    name.setBuddy(field)
    name.setContentsMargins(0, SPACING // 2, 0, 0)
    form.addRow(name, cell)


def _folder_row(dialog: PreferencesDialog, folder: Path) -> QWidget:
    path = QLabel(str(folder))
    path.setTextFormat(Qt.TextFormat.PlainText)
    path.setWordWrap(True)
    path.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    path.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    button = QPushButton(icon("folder-open", "muted"), dialog.tr("Open"))
    button.setToolTip(dialog.tr("Open the folder of texts and pictures"))
    button.clicked.connect(lambda: _open(folder))
    row = QWidget()
    line = QHBoxLayout(row)
    line.setContentsMargins(0, 0, 0, 0)
    line.setSpacing(SPACING)
    line.addWidget(path, 1)
    line.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
    row.setFocusProxy(button)
    return row


def _open(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
